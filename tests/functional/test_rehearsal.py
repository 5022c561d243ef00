"""The main job's own test: whole campaigns, called by production's processes, judged by their promises."""

from __future__ import annotations

import pytest

from tests.rehearsing import KEPT, rehearse

pytestmark = [pytest.mark.functional, pytest.mark.timeout(240)]


def test_forty_people_are_called_to_the_end_and_every_promise_is_kept() -> None:
    verdict = rehearse("--people", "40", "--seed", "1")
    assert verdict["people"] == 40
    assert verdict["calls"] >= 60
    assert {name: verdict[name] for name in KEPT} == KEPT
    # Alex's first piece may be on its way when the person hangs up: stored as said, heard by nobody.
    unheard = verdict["turns_stored"] - verdict["turns_spoken"]
    assert 0 <= unheard <= verdict["dispositions"]["hung_up"] + verdict["dispositions"]["do_not_call"]
    assert verdict["turns_spoken"] > 200
    assert {"interested", "not_interested", "do_not_call", "callback_requested", "wrong_person"} <= set(
        verdict["dispositions"]
    )
    assert {"completed", "busy", "no_answer", "failed"} <= set(verdict["statuses"])
    assert verdict["callbacks"] >= 2
    assert verdict["retries"] >= 10
    after = verdict["after_calls"]
    assert after["summaries"] == after["conversations"] > 20
    assert after["answers"] > after["answers_dropped"] > 0
    assert float(after["cost"]) > 1
    assert (verdict["rang_back"], verdict["rang_in_vain"]) == (3, 0)


def test_killing_each_kind_of_process_in_the_middle_changes_none_of_that() -> None:
    victims = ("worker", "agent", "recorder", "valkey")
    kills = [argument for victim in victims for argument in ("--kill", victim)]
    verdict = rehearse("--people", "12", "--attempts", "2", *kills)
    assert verdict["killed"] == list(victims)
    assert {name: verdict[name] for name in KEPT} == KEPT
    assert verdict["turns_stored"] >= verdict["turns_spoken"] > 50
