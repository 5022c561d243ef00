"""Every figure of the dashboard is what plain SQL counts on the tables, whatever has been tallied so far."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection

from outreach.desk import board
from outreach.desk.days import Day
from outreach.services import tallying
from tests.integration.varied_day import HOUR, a_varied_day

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

#: What picks up counts as a person unless it is known to be a machine.
_PHONE = """
WITH phone AS (
    SELECT *, coalesce(dialing_at, queued_at) AS begun_at,
        answered_at IS NOT NULL
        AND coalesce(nullif(judged_answered_by, ''), answered_by) IN ('human', 'uncertain', '') AS talked
    FROM outreach_call WHERE channel = 'phone'
), firsts AS (
    SELECT facilitator_id,
        (array_agg(id ORDER BY queued_at, id) FILTER (WHERE talked))[1] AS reached_by,
        (array_agg(id ORDER BY queued_at, id) FILTER (WHERE disposition = 'interested'))[1] AS won_by
    FROM phone GROUP BY facilitator_id
), called AS (
    SELECT p.*, p.id = f.reached_by AS reaches, p.id = f.won_by AS wins, f.won_by IS NOT NULL AS is_won
    FROM phone p JOIN firsts f USING (facilitator_id)
)
"""
_DAY = f"""{_PHONE}
SELECT count(*) AS begun, count(placed_at) AS dialled, count(answered_at) AS answered,
    count(*) FILTER (WHERE talked) AS talked, count(*) FILTER (WHERE reaches) AS reached,
    count(*) FILTER (WHERE wins) AS interested,
    count(*) FILTER (WHERE reaches AND is_won) AS reached_interested,
    count(*) FILTER (WHERE disposition = 'callback_requested') AS callbacks,
    count(*) FILTER (WHERE disposition = 'not_interested') AS refused,
    count(*) FILTER (WHERE disposition = 'do_not_call') AS opt_outs,
    count(*) FILTER (WHERE talked AND NOT our_fault AND duration_seconds < 6) AS early,
    count(*) FILTER (WHERE our_fault) AS our_faults,
    (avg(duration_seconds) FILTER (WHERE talked))::float8 AS talk_average,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE talked) AS talk_median,
    (avg(round(extract(epoch FROM coalesce(ended_at, begun_at) - begun_at)))
        FILTER (WHERE placed_at IS NOT NULL))::float8 AS held_average,
    sum(cost) FILTER (WHERE cost_currency = 'USD') AS usd,
    sum(cost) FILTER (WHERE cost_currency = 'EUR') AS eur
FROM called WHERE (begun_at AT TIME ZONE 'UTC')::date = %s
"""  # noqa: S608  (composed of the constants above only)
_HOURS = """
SELECT extract(hour FROM coalesce(dialing_at, queued_at) AT TIME ZONE 'UTC')::int, count(*)
FROM outreach_call WHERE channel = 'phone' AND placed_at IS NOT NULL
    AND (coalesce(dialing_at, queued_at) AT TIME ZONE 'UTC')::date = %s
GROUP BY 1
"""


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what plain SQL answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def one(sql: str, *values: Any) -> Any:
    """Return the one value that plain SQL answers."""
    ((value,),) = rows(sql, *values)
    return value


def assert_day(shown: Day, day: date) -> None:
    """Compare every figure of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_DAY, [day])
        names = [column.name for column in cursor.description or ()]
        told = dict(zip(names, cursor.fetchone() or (), strict=True))
    money = {name: told.pop(name.lower()) for name in ("USD", "EUR")}
    assert shown.cost == {currency: amount for currency, amount in money.items() if amount}
    assert shown.talk_median == pytest.approx(told.pop("talk_median"), abs=5)
    assert {name: getattr(shown, name) for name in told} == pytest.approx(told)
    assert shown.hours == dict(rows(_HOURS, day))


def assert_people(shown: board.Counts) -> None:
    """Compare where people stand, who is due, and who waits for what."""
    standings = rows("SELECT standing, count(*) FROM outreach_facilitator GROUP BY 1")
    assert (shown.n_people, shown.standings) == (
        one("SELECT count(*) FROM outreach_facilitator"),
        dict(standings),
    )
    of_each = {count.campaign.name: count.standings for count in shown.campaigns}
    in_tables: dict[str, dict[str, int]] = {}
    for name, standing, n in rows(
        "SELECT c.name, standing, count(*) FROM outreach_facilitator f JOIN outreach_campaign c "
        "ON c.id = campaign_id GROUP BY 1, 2"
    ):
        in_tables.setdefault(name, {})[standing] = n
    assert of_each == in_tables
    for count in shown.campaigns:
        share = one(
            "SELECT round(avg(100 * (standing = ANY(%s))::int)) FROM outreach_facilitator "
            "WHERE campaign_id = %s",
            ["interested", "not_interested", "suppressed", "exhausted"],
            count.campaign.pk,
        )
        assert count.done_percent == share
    due = "SELECT count(*) FROM outreach_facilitator f JOIN outreach_campaign c ON c.id = campaign_id "
    due += "WHERE c.state = 'running' AND next_call_at <= %s"
    assert (shown.due_now, shown.due_at_least) == (one(due, shown.at), False)
    assert shown.retries_due == one(f"{due} AND standing = 'retry_due'", shown.at)
    assert shown.next_at == one(
        "SELECT min(next_call_at) FROM outreach_facilitator f JOIN outreach_campaign c ON c.id = campaign_id "
        "WHERE c.state = 'running' AND next_call_at > %s", shown.at,
    )  # fmt: skip


def assert_waiting(shown: board.Counts) -> None:
    """Compare the groups of those who wait, with the hours that are named."""
    waits = (
        "SELECT CASE WHEN c.state <> 'running' THEN c.name WHEN not_called_code = 'outside_window' AND "
        "next_call_at > %s THEN to_char(next_call_at AT TIME ZONE time_zone, 'HH24:MI') || "
        "((next_call_at AT TIME ZONE time_zone)::date - (%s AT TIME ZONE time_zone)::date) "
        "WHEN not_called_code <> '' THEN not_called_code ELSE standing END, count(*), "
        "min(next_call_at) FILTER (WHERE not_called_code = 'outside_window' AND c.state = 'running') "
        "FROM outreach_facilitator f JOIN outreach_campaign c ON c.id = campaign_id "
        "WHERE next_call_at IS NOT NULL GROUP BY 1"
    )
    in_tables = Counter((n, first_at) for _, n, first_at in rows(waits, shown.at, shown.at))
    assert Counter((group.n_people, group.first_at) for group in shown.waiting) == in_tables
    (paused,) = [group for group in shown.waiting if group.campaign]
    assert (paused.n_people, paused.says) == (2, "wait for “Autumn”, which is paused")
    assert [group.says.split(" in ")[0] for group in shown.waiting if group.first_at] == [
        "wait for 10:00", "wait for tomorrow 10:00",
    ]  # fmt: skip
    held = (
        "SELECT standing, CASE WHEN not_called_code = '' THEN standing_reason ELSE not_called_code END, "
        "count(*) FROM outreach_facilitator WHERE standing IN ('held', 'needs_review') GROUP BY 1, 2"
    )
    assert {(group.standing, group.code, group.n_people) for group in shown.held} == set(rows(held))


def assert_promises(shown: board.Counts) -> None:
    """Compare the callbacks of the next 24 hours, and the late ones."""
    promised = "FROM outreach_callback WHERE state = 'promised' AND promised_at < %s"
    tomorrow = shown.at + 24 * HOUR
    in_order = rows(f"SELECT id {promised} ORDER BY promised_at", tomorrow)
    assert [callback.pk for callback in shown.callbacks] == [pk for (pk,) in in_order]
    assert shown.n_callbacks == len(in_order) == 2
    assert shown.n_late == one(f"SELECT count(*) {promised}", shown.at) == 1


def dialled_in(begin: datetime) -> int:
    """Return how many calls were dialled within an hour."""
    return dict(rows(_HOURS, begin.date())).get(begin.hour, 0)


class TestEveryFigure:
    def test_is_what_sql_counts_on_the_tables_before_and_after_the_ticks(self) -> None:
        a_varied_day()
        for _ in range(2):
            shown, present = board.counts(), board.present()
            assert_people(shown)
            assert_waiting(shown)
            assert_promises(shown)
            assert len(shown.days) == 14
            for day, figures in shown.days.items():
                assert_day(figures, day)
            whole_hour = shown.at.replace(minute=0, second=0, microsecond=0)
            assert shown.pace.this_hour == dialled_in(whole_hour)
            assert shown.pace.last_hour == dialled_in(whole_hour - HOUR)
            cost = rows(
                "SELECT cost_currency, sum(cost) FROM outreach_call WHERE channel = 'phone' "
                "AND cost IS NOT NULL GROUP BY 1"
            )
            assert shown.cost == dict(cost)
            in_the_air = rows("SELECT id FROM outreach_call WHERE channel = 'phone' AND ended_at IS NULL")
            assert {call.pk for call in present.calls} == {pk for (pk,) in in_the_air}
            assert present.n_calls == len(in_the_air) > 3
            tallying.take_in()
            tallying.count_people()
