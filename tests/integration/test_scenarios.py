"""A call that the desk made a file of can be played again, and says nothing of who it was with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outreach.models import Call, Turn
from outreach.services import clock
from outreach.services.scenarios import NoScenario, scenario_of
from sandbox.groq_api import GroqFaults, make_app
from tests import scenario_kit
from tests.agent_kit import serving
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_live_call, a_talk

pytestmark = pytest.mark.integration

SAID = (
    ("person", "Hello, Zoë Quimby speaking."),
    ("alex", "Hi Zoë, this is Alex of Acme. Is Quimby & Sons still at it?"),
    ("person", "We are. Write to zoe.quimby@quimbysons.example, or ring +1 (415) 555-0177."),
    ("alex", "You do falconry, I read."),
    ("person", "Falconry, yes. This number ends in 0142. Please stop calling me."),
)


def a_call_with(said: tuple[tuple[str, str], ...] = SAID, **fields: object) -> Call:
    """Return a finished call of somebody of whom the list knew a lot."""
    person = a_person(
        a_campaign(), name="Zoe Quimby", number="+12125550142", email="zoe@quimbysons.example",
        organisation="Quimby & Sons", extra={"specialty": "falconry"},
    )  # fmt: skip
    call = a_talk(person, **{"transcript": "complete", "n_turns": len(said), **fields})
    call.turns.all().delete()
    for seq, (speaker, text) in enumerate(said, 1):
        Turn.objects.create(call=call, seq=seq, speaker=speaker, text=text, said_at=clock.now())
    return call


@pytest.fixture
async def groq_url() -> AsyncIterator[str]:
    """Serve an emulated Groq."""
    async with serving(make_app(api_key=scenario_kit.KEY, faults=GroqFaults())) as url:
        yield url + "/openai/v1"


class TestAScenario:
    @pytest.mark.parametrize("path", scenario_kit.FILES, ids=lambda path: path.stem)
    async def test_ends_as_it_did(self, path: Path, groq_url: str) -> None:
        scenario = scenario_kit.load(path)
        reporter = await scenario_kit.play(scenario, groq_url=groq_url)
        said = [f"{turn.speaker}: {turn.text}" for turn in reporter.turns]
        assert scenario_kit.disposition_of(reporter) is scenario.expected, said
        assert reporter.end.answered_by == scenario.answered_by


@pytest.mark.django_db
@pytest.mark.usefixtures("tuesday")
class TestMakingOne:
    def test_takes_the_person_out_wherever_they_were_named(self) -> None:
        made = scenario_of(a_call_with(disposition="do_not_call"))
        words = made.text.lower()
        for personal in ("zoe", "zoë", "quimby", "falcon", "0177", "0142", "415", "212"):
            assert personal not in words, personal
        said = [turn["text"] for turn in json.loads(made.text)["turns"]]
        assert said[0] == "Hello, Robin Example speaking."
        assert said[2] == "We are. Write to robin@example.org, or ring +12025550123."
        assert said[4] == "[specialty], yes. This number ends in 0123. Please stop calling me."
        assert made.replaced >= 7

    def test_is_refused_where_turns_are_missing_or_the_call_goes_on(self) -> None:
        with pytest.raises(NoScenario, match="missing"):
            scenario_of(a_talk(a_person(a_campaign())))
        with pytest.raises(NoScenario, match="not over"):
            scenario_of(a_live_call(a_person(a_campaign())))

    def test_is_a_file_that_the_suite_plays(self, tmp_path: Path) -> None:
        path = tmp_path / "made.json"
        path.write_text(scenario_of(a_call_with(disposition="do_not_call")).text, encoding="utf-8")
        steps = scenario_kit.load(path).steps()
        assert [step.alex_spoke for step in steps] == [0, 1, 1]
        assert scenario_kit.load(path).brief().person.name == "Robin Example"
