"""The list of checks: each has its place, and the page that explains it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outreach.doctor.registry import AREAS, CHECKS, checks_of
from outreach.services.carrier_account import ACCOUNT_CHECK

pytestmark = pytest.mark.unit

DOCS = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"
NAMES = [check.name for check in CHECKS]


def test_each_name_is_there_once_and_fits_its_row() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert max(len(name) for name in NAMES) + len("/1234567890") <= 60
    assert {check.area for check in CHECKS} == set(AREAS)


def test_areas_are_in_the_order_in_which_one_mends_them() -> None:
    assert [check.area for check in CHECKS] == [check.area for area in AREAS for check in checks_of([area])]


def test_each_waits_only_for_a_check_that_there_is() -> None:
    assert {check.after for check in CHECKS if check.after} <= set(NAMES)


def test_dialing_remembers_the_account_under_a_check_that_there_is() -> None:
    assert ACCOUNT_CHECK in NAMES


def test_the_page_explains_every_check_and_no_other() -> None:
    explained = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(NAMES)
