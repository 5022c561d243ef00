"""The judge of a rehearsal sees a broken promise, and only a broken one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from outreach.domain import defaults
from outreach.management.rehearsal.evidence import (
    CarrierCall,
    Evidence,
    HeardCall,
    OurCall,
    OurPerson,
    Persona,
    RangBack,
)
from outreach.management.rehearsal.verdict import judge

pytestmark = pytest.mark.unit

NUMBER = "+12125550142"
TUESDAY = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)
PERSON = OurPerson(
    number=NUMBER, time_zone="America/New_York", country="US", standing="suppressed", reason="",
    attempts_made=1, next_call_at=None,
)  # fmt: skip
CALL = OurCall(
    number=NUMBER, sid="CA1", kind="first", status="completed", disposition="do_not_call",
    answered_by="human", our_fault=False, answered=True, dialed=True, is_open=False, settled=True,
    transcript="complete",
    turns=(("person", "Hello?"), ("alex", "Hi."), ("person", "Stop calling me!")), queued_at=TUESDAY,
    summary="made", answers=1, cost_state="estimated", cost=Decimal("0.05"),
)  # fmt: skip
PLACED = CarrierCall(
    sid="CA1", number=NUMBER, accepted_at=TUESDAY, ended_at=TUESDAY + timedelta(minutes=1), status="completed"
)
HEARD = HeardCall(sid="CA1", number=NUMBER, connected=True, silence_seconds=0.1, spoken=CALL.turns)
KEPT = Evidence(
    people=(PERSON,),
    calls=(CALL,),
    carrier=(PLACED,),
    heard=(HEARD,),
    personas={NUMBER: Persona(name="stop", intended=frozenset({"do_not_call"}), stops=True)},
    suppressed_at={},
    call_window=defaults.CALL_WINDOW,
    callback_window=defaults.CALLBACK_WINDOW,
)


def called_again(evidence: Evidence) -> Evidence:
    """Return the same with a second call to the number a day later."""
    day = timedelta(days=1)
    again = replace(
        PLACED, sid="CA2", accepted_at=TUESDAY + day, ended_at=TUESDAY + day + timedelta(minutes=1)
    )
    return replace(
        evidence,
        carrier=(*evidence.carrier, again),
        calls=(*evidence.calls, replace(CALL, sid="CA2", turns=(), transcript="open")),
    )


def test_finds_nothing_where_every_promise_was_kept() -> None:
    assert judge(KEPT).promises_broken == ()


def test_sees_a_call_after_a_stop() -> None:
    assert judge(called_again(KEPT)).calls_after_opt_out == 1


def test_sees_a_call_after_a_stop_that_was_spoken_into_a_dying_call() -> None:
    broken = replace(KEPT, calls=(replace(CALL, our_fault=True, disposition=""),))
    assert judge(called_again(broken)).calls_after_opt_out == 1


def test_forgives_a_call_to_somebody_whom_we_cut_off_before_they_could_say_it() -> None:
    hello = (("person", "Hello?"),)
    cut_off = replace(CALL, our_fault=True, disposition="", turns=hello)
    broken = replace(KEPT, calls=(cut_off,), heard=(replace(HEARD, spoken=hello),))
    assert judge(called_again(broken)).calls_after_opt_out == 0


def test_sees_a_call_after_a_suppression() -> None:
    evidence = replace(called_again(KEPT), suppressed_at={NUMBER: TUESDAY + timedelta(minutes=1)})
    assert judge(evidence).calls_after_opt_out == 1


RANG_TO_STOP = RangBack(number=NUMBER, wish="stop", confirmed=True, ended_at=TUESDAY + timedelta(minutes=5))
RANG_FOR_A_CALL = replace(RANG_TO_STOP, wish="callback")


def test_sees_that_a_caller_who_was_told_so_is_not_left_alone() -> None:
    rang = replace(called_again(KEPT), callers=(RANG_TO_STOP,), personas={})
    verdict = judge(rang)
    assert verdict.calls_after_opt_out == 1
    assert any("rang to be left alone" in broken for broken in verdict.promises_broken)
    kept = replace(KEPT, callers=(RANG_TO_STOP,), suppressed_at={NUMBER: RANG_TO_STOP.ended_at})
    assert (judge(kept).promises_broken, judge(kept).rang_back) == ((), 1)


def test_sees_that_a_caller_who_was_promised_a_call_gets_none() -> None:
    rang = replace(KEPT, callers=(RANG_FOR_A_CALL,))
    assert any("were told that they are called back" in broken for broken in judge(rang).promises_broken)
    assert judge(replace(rang, calls=(replace(CALL, kind="callback"),))).promises_broken == ()


def test_sees_that_somebody_rang_in_vain_unless_nobody_could_answer() -> None:
    rang = replace(KEPT, callers=(replace(RANG_TO_STOP, confirmed=False),))
    assert judge(rang).rang_in_vain == 1
    assert any("in vain" in broken for broken in judge(rang).promises_broken)
    assert judge(replace(rang, killed=("hooks",))).promises_broken == ()


def test_sees_two_calls_at_once() -> None:
    twice = replace(PLACED, sid="CA2", accepted_at=TUESDAY + timedelta(seconds=5))
    assert judge(replace(KEPT, carrier=(PLACED, twice))).double_dials > 0


def test_sees_a_call_outside_the_hours() -> None:
    early = replace(PLACED, accepted_at=TUESDAY - timedelta(hours=2))
    assert judge(replace(KEPT, carrier=(early,))).calls_outside_hours == 1


def test_sees_a_lost_turn() -> None:
    assert judge(replace(KEPT, calls=(replace(CALL, turns=CALL.turns[:2]),))).turns_lost == 1


def test_forgives_only_the_last_words_to_an_alex_whom_we_killed() -> None:
    cut_off = replace(KEPT, calls=(replace(CALL, our_fault=True, turns=CALL.turns[:2]),))
    assert judge(cut_off).turns_lost == 1
    assert judge(replace(cut_off, killed=("agent",))).turns_lost == 0
    earlier = replace(
        cut_off, calls=(replace(CALL, our_fault=True, turns=CALL.turns[1:2]),), killed=("agent",)
    )
    assert judge(earlier).turns_lost == 1


def test_sees_silence() -> None:
    silent = replace(HEARD, silence_seconds=20.0)
    assert any("silence" in broken for broken in judge(replace(KEPT, heard=(silent,))).promises_broken)


def test_sees_a_stuck_call() -> None:
    assert judge(replace(KEPT, calls=(replace(CALL, settled=False),))).stuck_calls == 1


def test_sees_a_conversation_without_a_summary_unless_it_says_why() -> None:
    def broken(**changes: Any) -> bool:
        verdict = judge(replace(KEPT, calls=(replace(CALL, **changes),)))
        return any("summary" in sentence for sentence in verdict.promises_broken)

    assert broken(summary="")
    assert broken(summary="due")
    assert not broken(summary="waiting")
    assert not broken(summary="given_up")
    assert not broken(summary="", answered_by="voicemail")
    assert not broken(summary="", transcript="open")


def test_sees_a_call_without_a_cost() -> None:
    verdict = judge(replace(KEPT, calls=(replace(CALL, cost_state="", cost=None),)))
    assert any("no cost" in sentence for sentence in verdict.promises_broken)
    assert judge(KEPT).after_calls["cost"] == "0.0500"
