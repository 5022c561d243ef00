"""`manage.py campaign`: create, start, pause, go, status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from outreach.domain.dialing_mode import DialingMode
from outreach.models import Campaign, CampaignState, CanaryState, DialingControl
from tests.factories import a_campaign, a_person
from tests.integration.operators import a_draft_to_start, answering, typed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

CREATE = [
    *("campaign", "create", "Spring", "--company", "Acme", "--platform", "Acme Circle"),
    *("--country", "us", "--caller-id", "(202) 555-0199", "--caller-id", "+12025550198"),
    *("--callback-number", "202 555 0197"),
]


class TestStartPauseGo:
    def test_starts(self) -> None:
        a_draft_to_start()
        printed = typed("campaign", "start", "Spring")
        assert "running" in printed
        assert "Checks: Nothing was checked yet." in printed
        assert Campaign.objects.get().state == CampaignState.RUNNING

    def test_starts_what_is_red_only_for_somebody_who_answers_for_it(self) -> None:
        a_draft_to_start()
        Campaign.objects.update(heard_script=None)
        with pytest.raises(CommandError, match=r"(?s)Call me first: Nobody has heard.*--despite-red"):
            typed("campaign", "start", "Spring")
        assert Campaign.objects.get().state == CampaignState.DRAFT
        assert "In spite of this: Call me first" in typed("campaign", "start", "Spring", "--despite-red")
        assert Campaign.objects.get().state == CampaignState.RUNNING

    def test_starts_for_nobody_what_the_law_forbids(self) -> None:
        a_draft_to_start(quiet_days_after_no=10)
        with pytest.raises(CommandError, match="60 days of peace") as refused:
            typed("campaign", "start", "Spring", "--despite-red")
        assert "--despite-red" not in str(refused.value)
        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_leaves_one_that_runs_as_it_is(self) -> None:
        a_campaign(name="Spring", unready_streak=2)
        assert "running already" in typed("campaign", "start", "Spring")
        assert Campaign.objects.get().unready_streak == 2

    def test_pauses_and_says_why(self) -> None:
        a_campaign(name="Spring")
        assert "paused: The team is out" in typed(
            "campaign", "pause", "Spring", "--reason", "The team is out"
        )
        assert Campaign.objects.get().state == CampaignState.PAUSED

    def test_names_who_paused(self) -> None:
        a_campaign(name="Spring")
        assert "(terminal)" in typed("campaign", "pause", "Spring")

    def test_goes_on_after_the_canary(self) -> None:
        a_campaign(
            name="Spring", state=CampaignState.HELD, state_reason="Look", canary_state=CanaryState.WAITING
        )
        assert "running" in typed("campaign", "go", "Spring")
        assert Campaign.objects.get().canary_state == CanaryState.PASSED

    def test_refuses_a_go_that_nobody_waits_for(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match="does not wait for a go"):
            typed("campaign", "go", "Spring")

    @pytest.mark.parametrize("action", ["start", "go"])
    def test_asks_first_when_people_would_be_called(
        self, action: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_draft_to_start()
        settings.DIALING = DialingMode.LIVE
        DialingControl.objects.update(mode="live")
        answering(monkeypatch, [""])
        with pytest.raises(CommandError, match="Nobody was called"):
            typed("campaign", action, "Spring")
        assert Campaign.objects.get().state == CampaignState.DRAFT

    @pytest.mark.parametrize("action", ["start", "pause", "go", "status"])
    def test_names_the_nearest_campaign(self, action: str) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match='Did you mean "Spring"'):
            typed("campaign", action, "Spirng")


class TestStatus:
    def test_lists_all_campaigns_with_their_people(self) -> None:
        a_person(a_campaign(name="Spring"))
        a_campaign(name="Autumn", state=CampaignState.HELD, state_reason="No agent became ready")
        printed = typed("campaign", "status")
        assert "REHEARSAL" in printed
        assert "running  Spring" in printed
        assert "1 new" in printed
        assert "held: No agent became ready  Autumn" in printed

    def test_says_how_to_begin(self) -> None:
        assert "campaign create --help" in typed("campaign", "status")

    def test_shows_the_board_of_one(self) -> None:
        a_person(a_campaign(name="Spring"))
        assert "1 first calls" in typed("campaign", "status", "Spring")


class TestCreate:
    def test_creates_a_draft_with_numbers_as_they_are_dialled(self) -> None:
        printed = typed(*CREATE, "--fact", "It is free.", "--fact", "People set their prices.")
        campaign = Campaign.objects.get()
        assert campaign.state == CampaignState.DRAFT
        assert campaign.caller_ids == ["+12025550199", "+12025550198"]
        assert campaign.callback_number == "+12025550197"
        assert campaign.default_country == "US"
        assert campaign.platform_facts == "It is free.\nPeople set their prices."
        assert 'import_facilitators people.csv --campaign "Spring"' in printed

    def test_reads_facts_from_a_file(self, tmp_path: Path) -> None:
        facts = tmp_path / "facts.txt"
        facts.write_text("Ça marche.\n\n  \nIt is free.\n", encoding="utf-8")
        typed(*CREATE, "--facts-file", str(facts))
        assert Campaign.objects.get().platform_facts == "Ça marche.\nIt is free."

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            (["--fact", " "], "must know something"),
            (["--facts-file", "/nowhere/facts.txt"], "cannot be read"),
            (["--fact", "Free.", "--country", "Utopia"], "is no country"),
            (["--fact", "Free.", "--caller-id", "12"], "--caller-id"),
            (["--fact", "Free.", "--callback-number", "call me"], "--callback-number"),
            (["--fact", "Free.", "--company", " "], "company must have"),
            (["--fact", "Free.", "--platform", "x" * 121], "platform must have"),
        ],
    )
    def test_says_what_is_wrong_and_creates_nothing(self, changed: list[str], sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            typed(*CREATE, *changed)
        assert not Campaign.objects.exists()

    def test_refuses_a_name_that_is_taken(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match="exists already"):
            typed(*CREATE, "--fact", "It is free.")
