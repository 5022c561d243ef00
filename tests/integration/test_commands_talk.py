"""`manage.py talk`: the brief of a call that never happens, and who answers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import connection

from agentworker.settings import GROQ_BASE_URL, ModelSettings
from outreach.domain.contracts import Brief
from outreach.domain.dialing_mode import DialingMode
from outreach.management.commands import talk
from outreach.models import ScriptVersion
from tests.factories import a_campaign, a_person, an_earlier_call
from tests.integration.operators import typed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


class Talk:
    """What Alex was told when somebody began to type."""

    brief: Brief
    models: ModelSettings


@pytest.fixture
def talked(monkeypatch: pytest.MonkeyPatch) -> Talk:
    found = Talk()

    async def listen(*, brief: Brief, models: ModelSettings) -> None:
        found.brief, found.models = brief, models

    monkeypatch.setattr(talk, "talk_on_terminal", listen)
    return found


@pytest.fixture
def model(settings: Any) -> Iterator[str]:
    """Somebody who listens where the rehearsal's model would."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.GROQ_BASE_URL = f"http://127.0.0.1:{server.getsockname()[1]}/openai/v1"
        yield settings.GROQ_BASE_URL


def n_rows() -> int:
    """Count the rows of every table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counted = " UNION ALL ".join(f'SELECT count(*) FROM "{table}"' for table in tables)  # noqa: S608
        cursor.execute(counted)
        return sum(count for (count,) in cursor.fetchall())


@pytest.mark.usefixtures("model")
class TestBrief:
    def test_is_that_of_a_person_with_their_history(self, talked: Talk) -> None:
        person = a_person(a_campaign(company="Acme"), name="Ann Example")
        an_earlier_call(person, ago=timedelta(days=2))
        printed = typed("talk", "--as", str(person.pk))
        assert talked.brief.person.name == "Ann Example"
        assert talked.brief.opening == "tried_before"
        assert len(talked.brief.history) == 1
        assert "REHEARSAL" in printed
        assert "the sandbox's script" in printed

    def test_is_that_of_an_invented_person_in_the_only_campaign(self, talked: Talk) -> None:
        a_campaign(company="Acme", default_country="GB")
        typed("talk")
        assert (talked.brief.company, talked.brief.person.time_zone) == ("Acme", "Europe/London")

    def test_needs_no_campaign_at_all(self, talked: Talk) -> None:
        assert "an invented campaign" in typed("talk")
        assert "AI" in talked.brief.opening_line
        assert not ScriptVersion.objects.exists()

    @pytest.mark.usefixtures("talked")
    def test_stores_nothing(self) -> None:
        person = a_person(a_campaign())
        before = n_rows()
        typed("talk", "--as", str(person.pk))
        typed("talk")
        assert n_rows() == before

    @pytest.mark.usefixtures("talked")
    def test_asks_which_of_several_campaigns(self) -> None:
        for name in ("Spring", "Autumn"):
            a_campaign(name=name)
        with pytest.raises(CommandError, match='--campaign NAME: "Autumn", "Spring"'):
            typed("talk")
        assert "Spring" in typed("talk", "--campaign", "spring")

    @pytest.mark.usefixtures("talked")
    def test_names_the_nearest_campaign(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match='Did you mean "Spring"'):
            typed("talk", "--campaign", "Sprong")

    def test_knows_whom_it_cannot_be(self) -> None:
        a_campaign(name="Autumn")
        person = a_person(a_campaign(name="Spring"))
        with pytest.raises(CommandError, match="no facilitator"):
            typed("talk", "--as", "999999")
        with pytest.raises(CommandError, match='is in "Spring"'):
            typed("talk", "--as", str(person.pk), "--campaign", "Autumn")


class TestWhoAnswers:
    def test_is_the_rehearsals_model_in_a_rehearsal(self, talked: Talk, model: str) -> None:
        typed("talk")
        assert talked.models.base_url == model

    def test_says_how_to_start_it_when_it_does_not_answer(self, settings: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.GROQ_BASE_URL = f"http://127.0.0.1:{server.getsockname()[1]}/openai/v1"
        with pytest.raises(CommandError, match="make up"):
            typed("talk")

    def test_is_the_real_one_when_asked_for_with_a_key_that_is_typed_unseen(
        self, talked: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("getpass.getpass", lambda _prompt: "gsk_typed")
        typed("talk", "--real")
        assert (talked.models.api_key, talked.models.base_url) == ("gsk_typed", GROQ_BASE_URL)

    def test_is_the_real_one_in_other_modes(
        self, talked: Talk, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.DIALING, settings.GROQ_BASE_URL = DialingMode.TEST, GROQ_BASE_URL
        monkeypatch.setenv("GROQ_API_KEY", "gsk_environment")
        assert "openai/gpt-oss-120b" in typed("talk")
        assert (talked.models.api_key, talked.models.base_url) == ("gsk_environment", GROQ_BASE_URL)

    @pytest.mark.usefixtures("model")
    def test_is_told_apart_from_one_that_could_not(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        async def fail(**_told: Any) -> None:
            failure = ConnectionError("no way to Groq")
            logging.getLogger("livekit.agents").error("Error in a task", exc_info=failure)

        monkeypatch.setattr(talk, "talk_on_terminal", fail)
        assert "could not answer: no way to Groq. A key" in " ".join(typed("talk").split())
        assert "Traceback" not in capfd.readouterr().err

    def test_is_nobody_without_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("getpass.getpass", lambda _prompt: " ")
        with pytest.raises(CommandError, match="GROQ_API_KEY is missing"):
            typed("talk", "--real")
