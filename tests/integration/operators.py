"""An operator at a terminal: types commands and answers, and reads what comes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis
from django.core.management import call_command

from outreach import tasks
from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, AnyWord
from outreach.domain.disposition import Disposition
from outreach.models import Call, Campaign, CampaignState, Note, Turn
from outreach.services import clock
from tests.factories import a_campaign, a_person, an_agent_worker, dial, prepare, talk_to_the_end
from tests.fakes import FakeTelephony


def typed(*arguments: str, **options: Any) -> str:
    """Type a command and return what it prints."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


def answering(monkeypatch: pytest.MonkeyPatch, answers: Sequence[str]) -> list[str]:
    """Let the operator give these answers, in order; return those that are left over."""
    left = list(answers)

    def answer(_prompt: str = "") -> str:
        if not left:
            raise EOFError
        return left.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    return left


def a_draft_to_start(**fields: Any) -> Campaign:
    """Return a campaign that nothing stands in the way of: Alex, a script that was heard, a person."""
    campaign = a_campaign(name="Spring", state=CampaignState.DRAFT, **fields)
    Campaign.objects.filter(pk=campaign.pk).update(heard_script=campaign.script)
    a_person(campaign)
    an_agent_worker()
    return campaign


def whoever_prepares(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[Call], object] = lambda _call: None
) -> list[str]:
    """Let `work` be done where a worker would take the hint; return the ids of the calls that came."""
    hinted: list[str] = []

    def take(*, kwargs: dict[str, str], retry: bool) -> None:
        hinted.append(kwargs["call_id"])
        work(Call.objects.get(pk=kwargs["call_id"]))

    monkeypatch.setattr(tasks.prepare_call, "apply_async", take)
    return hinted


def a_conversation(call: Call, words: Sequence[AnyWord] = (), *, valkey: redis.Redis | None = None) -> Call:
    """Let the call happen: prepared, dialled, answered, talked, interested, settled."""
    dial(prepare(call), FakeTelephony())
    for word in words:
        if valkey is not None:
            valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})
    Call.objects.filter(pk=call.pk).update(
        disposition=Disposition.INTERESTED.value, answered_by="human", transcript="complete"
    )
    return talk_to_the_end(call, n_turns=sum(word.kind == "turn" for word in words))


def stored_turn(call: Call, seq: int, speaker: str, text: str) -> Turn:
    """Return a turn that the recorder has stored."""
    return Turn.objects.create(
        call=call, seq=seq, speaker=speaker, text=text, stage="opening", said_at=clock.now()
    )


def stored_note(call: Call, text: str) -> Note:
    """Return a note that the recorder has stored."""
    return Note.objects.create(call=call, seq=1, text=text, noted_at=clock.now())


def read_json(*arguments: str) -> Any:
    """Type a command that prints JSON and return what it says."""
    return json.loads(typed(*arguments, "--json"))
