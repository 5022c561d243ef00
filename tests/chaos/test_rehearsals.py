"""Longer than the suite may last: hundreds of people, a network that fails, each process killed by itself.

Run with `python3 sandbox/bootstrap.py test tests/chaos` (about half an hour on two cores).
"""

from __future__ import annotations

import pytest

from tests.rehearsing import KEPT, rehearse

pytestmark = [pytest.mark.functional, pytest.mark.timeout(2400)]


def test_three_hundred_people_on_a_network_where_a_fifth_of_all_calls_fails() -> None:
    verdict = rehearse("--people", "300", "--faults", "network20", within=2300)
    assert verdict["people"] == 300
    assert {name: verdict[name] for name in KEPT} == KEPT
    assert verdict["turns_stored"] >= verdict["turns_spoken"]


@pytest.mark.parametrize("victim", ["worker", "ops", "agent", "recorder", "valkey", "beat", "hooks", "web"])
def test_killing_one_process_on_such_a_network_changes_none_of_that(victim: str) -> None:
    verdict = rehearse("--people", "30", "--faults", "network20", "--kill", victim, within=900)
    assert verdict["killed"] == [victim]
    assert {name: verdict[name] for name in KEPT} == KEPT
