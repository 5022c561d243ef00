"""Hints to the dial worker: whoever is ready goes first, and none is sent again while workers are behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from kombu.transport.redis import Channel

from outreach import tasks
from outreach.models import Call
from outreach.services import clock
from tests.factories import a_campaign, a_person, claim
from tests.integration.hooks import hinted

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

ROOMS = f"dial{Channel.sep}{tasks.AFTER_DIALS}"


@pytest.fixture
def queued_call() -> Call:
    """Return a claimed call whose hint is lost."""
    call = claim(a_person(a_campaign()))
    Call.objects.filter(pk=call.pk).update(queued_at=clock.now() - timedelta(seconds=10))
    return call


class TestLostHints:
    def test_are_sent_again_behind_the_dials(self, queued_call: Call, valkey: redis.Redis) -> None:
        tasks.dial_due()
        assert hinted(valkey, ROOMS) == [("outreach.prepare_call", {"call_id": str(queued_call.pk)})]
        assert hinted(valkey, "dial") == []

    def test_are_none_while_rooms_wait_to_be_made(self, queued_call: Call, valkey: redis.Redis) -> None:
        tasks.dial_due()
        tasks.dial_due()
        assert len(hinted(valkey, ROOMS)) == 1


def test_ticks_wait_behind_the_rooms_to_be_made(valkey: redis.Redis) -> None:
    """Else workers that are behind would look for people for ever and never make a room."""
    last = f"dial{Channel.sep}{tasks.TICKS_LAST}"
    tasks.dial_due.delay()
    tasks.retry_due.delay()
    assert sorted(name for name, _ in hinted(valkey, last)) == ["outreach.dial_due", "outreach.retry_due"]
    assert tasks.TICKS_LAST > tasks.AFTER_DIALS
