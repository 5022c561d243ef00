"""`docs/defaults.md`, the defaults module and the campaign's fields say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from outreach.domain import defaults
from outreach.domain.backoff import RetryPolicy
from outreach.domain.call_window import CallWindow
from outreach.models import Campaign

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "defaults.md").read_text(encoding="utf-8")
MODULE: dict[str, Any] = {name: value for name, value in vars(defaults).items() if name.isupper()}
#: Constants with a table of their own on the page.
TABLED = {"CALL_WINDOW", "CALLBACK_WINDOW", "RETRY_POLICY"}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its two head lines."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


HOURS = {row[0].strip("`"): row for row in rows("Hours")}
BACKOFFS = {row[0].strip("`"): row for row in rows("After a call that ends in nothing")}
VALUES = {row[0].strip("`"): row for row in rows("Everything else")}


class TestThePage:
    def test_names_every_default_once_and_nothing_else(self) -> None:
        assert set(HOURS) == {"CALL_WINDOW", "CALLBACK_WINDOW"}
        assert set(VALUES) == set(MODULE) - TABLED
        assert len(rows("Everything else")) == len(VALUES)

    @pytest.mark.parametrize("name", sorted(set(MODULE) - TABLED))
    def test_gives_the_value_of_the_module(self, name: str) -> None:
        assert json.loads(VALUES[name][1].strip("`")) == MODULE[name]

    @pytest.mark.parametrize("name", sorted(VALUES))
    def test_says_why(self, name: str) -> None:
        assert VALUES[name][4].endswith(".")

    @pytest.mark.parametrize("name", sorted(HOURS))
    def test_gives_the_hours_of_every_weekday(self, name: str) -> None:
        first, last = HOURS[name][2].split("–")
        spans = [list(span.split("–")) for span in HOURS[name][3].split(", ")]
        assert {str(day): spans for day in range(int(first), int(last) + 1)} == MODULE[name]

    def test_gives_the_backoff_of_every_ending(self) -> None:
        told = {
            ending: {"base_hours": float(row[1]), "factor": float(row[2]), "cap_hours": float(row[3])}
            for ending, row in BACKOFFS.items()
        }
        assert told == defaults.RETRY_POLICY

    def test_gives_the_jitter_in_words_too(self) -> None:
        assert re.search(r"±(\d+) % \(`RETRY_JITTER`\)", PAGE)[1] == f"{defaults.RETRY_JITTER:.0%}"[:-1]  # type: ignore[index]


class TestTheCampaign:
    FIELDS = {name: row[3].strip("`") for name, row in VALUES.items() if row[3] != "—"} | {
        name: row[1].strip("`") for name, row in HOURS.items()
    }

    @pytest.mark.parametrize("name", sorted(FIELDS))
    def test_starts_with_the_default(self, name: str) -> None:
        field = Campaign._meta.get_field(self.FIELDS[name])
        assert field.get_default() == MODULE[name]  # type: ignore[union-attr]

    def test_starts_with_the_default_backoffs(self) -> None:
        assert Campaign._meta.get_field("retry_policy").get_default() == defaults.RETRY_POLICY


class TestTheDefaults:
    @pytest.mark.parametrize("hours", [defaults.CALL_WINDOW, defaults.CALLBACK_WINDOW])
    def test_hours_are_hours_that_an_operator_could_enter(self, hours: object) -> None:
        assert CallWindow.parse(hours, skip_public_holidays=True).intervals()

    def test_backoffs_are_a_policy_that_an_operator_could_enter(self) -> None:
        assert RetryPolicy.parse(defaults.RETRY_POLICY)

    @pytest.mark.parametrize(("opens", "closes"), [("08:00", "21:00"), ("08:00", "20:00")])
    def test_hours_lie_inside_what_american_rules_allow(self, opens: str, closes: str) -> None:
        spans = [span for day in defaults.CALL_WINDOW.values() for span in day]
        assert all(opens <= a < b <= closes for a, b in spans)

    def test_hours_lie_inside_what_french_rules_allow(self) -> None:
        allowed = [("10:00", "13:00"), ("14:00", "20:00")]
        assert set(defaults.CALL_WINDOW) <= set("01234")
        for day in defaults.CALL_WINDOW.values():
            assert all(any(a <= opens < closes <= b for a, b in allowed) for opens, closes in day)

    def test_a_goodbye_comes_before_the_line_is_cut(self) -> None:
        assert defaults.CLOSING_AT < defaults.MAX_DURATION
