"""The rehearsal's time: it starts on a Tuesday morning, and jumps to the next due moment when all is quiet.

Run as `python -m sandbox.clock_jumper`. Time never runs faster: a conversation takes as long as it
takes, and only the waiting between calls is skipped. Every jump is one JSON line on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import psycopg

#: Ten in New York is three in London and four in Paris: several zones may be called at once.
START_HOUR, START_MINUTE = 9, 59
START_ZONE = ZoneInfo("America/New_York")
START_COUNTRIES = ("US", "CA", "GB", "FR", "DE", "ES")
TUESDAY = 1

LOOK_EVERY = 0.05
#: A gap that is not worth a jump, seconds.
SHORT_WAIT = 1.0
#: Real seconds without any movement after which nothing but time can help: while the carrier carries
#: a call; while Alex is on his way; while Alex's last word is; while a webhook may be.
PATIENCE_WITH_TALK = 45.0
PATIENCE_WITH_ALEX = 30.0
PATIENCE_WITH_REST = 8.0
PATIENCE_WITH_NEWS = 2.5
TELL_NETWORK_EVERY = 1.0

_IN_FLIGHT = """
SELECT count(*), min(deadline_at),
       count(*) FILTER (WHERE status IN ('queued', 'preparing')),
       count(*) FILTER (WHERE ended_at IS NOT NULL),
       count(*) FILTER (WHERE channel = 'web' AND ended_at IS NULL),
       md5(coalesce(string_agg(id::text || status || coalesce(deadline_at::text, ''), ',' ORDER BY id), ''))
FROM outreach_call WHERE settled_at IS NULL
"""
_MOVEMENT = """
SELECT (SELECT coalesce(max(id), 0) FROM outreach_callevent)
     + (SELECT coalesce(max(id), 0) FROM outreach_turn)
"""
_NEXT_DUE = """
SELECT min(due_at) FROM (
    SELECT min(f.next_call_at) AS due_at
    FROM outreach_campaign c JOIN outreach_facilitator f ON f.campaign_id = c.id
    WHERE f.next_call_at IS NOT NULL AND c.state = 'running'
    UNION ALL
    SELECT min(c.release_at) FROM outreach_campaign c WHERE c.state = 'held'
) AS moments
"""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is in flight and what is due, at one look. `trace` changes whenever a call moves."""

    now: datetime
    stopped: bool
    in_flight: int
    """Calls that are not settled."""
    before_dial: int
    """Those among them to whom Alex is on his way."""
    waiting_for_end: int
    """Those among them whose line is free; Alex's last word is missing."""
    deadline_at: datetime | None
    due_at: datetime | None
    trace: str
    in_browser: int = 0
    """Those among them in which somebody talks with Alex in the browser: no carrier carries them."""


def first_morning(today: datetime) -> datetime:
    """Return a minute before ten in New York, on the next Tuesday that is a holiday for nobody."""
    day = today.astimezone(START_ZONE).date()
    years = {day.year, day.year + 1}
    feasts: Sequence[object] = [holidays.country_holidays(code, years=years) for code in START_COUNTRIES]
    while True:
        day += timedelta(days=1)
        if day.weekday() == TUESDAY and not any(day in feast for feast in feasts):  # type: ignore[operator]
            return datetime(
                day.year, day.month, day.day, START_HOUR, START_MINUTE, tzinfo=START_ZONE
            ).astimezone(UTC)


def start_clock(connection: psycopg.Connection, *, at: datetime) -> bool:
    """Set the rehearsal's clock to `at` unless it is set already; return whether it was set now."""
    set_now = connection.execute(
        "INSERT INTO outreach_clock (id, ahead) VALUES (1, %s - clock_timestamp()) ON CONFLICT DO NOTHING",
        [at],
    )
    return set_now.rowcount == 1


def ahead_seconds(connection: psycopg.Connection) -> float:
    """Return how far the rehearsal's clock is ahead of the machine's."""
    row = connection.execute("SELECT extract(epoch FROM ahead) FROM outreach_clock").fetchone()
    return float(row[0]) if row else 0.0


def look(connection: psycopg.Connection) -> Sight:
    """Return what is in flight and what is due."""

    def one(query: str) -> tuple[object, ...]:
        row = connection.execute(query).fetchone()
        if row is None:
            raise LookupError("the query always has one row")
        return row

    in_flight, deadline_at, before_dial, waiting_for_end, in_browser, calls = one(_IN_FLIGHT)
    now, stopped = one("SELECT outreach_now(), stopped FROM outreach_dialingcontrol WHERE id = 1")
    return Sight(
        now=now,  # type: ignore[arg-type]
        stopped=bool(stopped),
        in_flight=int(str(in_flight)),
        before_dial=int(str(before_dial)),
        waiting_for_end=int(str(waiting_for_end)),
        in_browser=int(str(in_browser)),
        deadline_at=deadline_at,  # type: ignore[arg-type]
        due_at=one(_NEXT_DUE)[0],  # type: ignore[arg-type]
        trace=f"{calls} {one(_MOVEMENT)[0]}",
    )


def patience_with(sight: Sight, *, carried: int) -> float:
    """Return how many real seconds without movement it takes until only time can help.

    :param carried: calls that the carrier has open, whatever our own tables say.
    """
    if carried or sight.in_browser:
        return PATIENCE_WITH_TALK
    if sight.before_dial:
        return PATIENCE_WITH_ALEX
    if sight.waiting_for_end:
        return PATIENCE_WITH_REST
    return PATIENCE_WITH_NEWS if sight.in_flight else 2 * LOOK_EVERY


def next_moment(sight: Sight, *, quiet_for: float, carried: int = 0) -> datetime | None:
    """Return the moment to jump to, or None to let time pass.

    :param quiet_for: real seconds since anything moved.
    :param carried: calls that the carrier has open.
    """
    if sight.stopped or quiet_for < patience_with(sight, carried=carried):
        return None
    busy = carried or sight.before_dial or sight.in_browser
    moments = [sight.deadline_at] if busy else [sight.deadline_at, sight.due_at]
    target = min((moment for moment in moments if moment is not None), default=None)
    if target is None or target - sight.now <= timedelta(seconds=SHORT_WAIT):
        return None
    return target


def jump(connection: psycopg.Connection, *, to: datetime, network: str, key: str) -> None:
    """Set the clock to `to`: the telephone network first, so that it never lags behind us.

    No time passes for those who say every two seconds that they are alive: their last word moves along.
    """
    row = connection.execute("SELECT extract(epoch FROM %s - clock_timestamp())", [to]).fetchone()
    ahead = float(row[0]) if row else 0.0
    skipped = timedelta(seconds=ahead - ahead_seconds(connection))
    tell_network(network, key=key, ahead=ahead)
    with connection.transaction():
        connection.execute("UPDATE outreach_clock SET ahead = make_interval(secs => %s)", [ahead])
        connection.execute("UPDATE outreach_agentworker SET reported_at = reported_at + %s", [skipped])
        connection.execute(
            "UPDATE outreach_call SET agent_seen_at = agent_seen_at + %s WHERE settled_at IS NULL", [skipped]
        )


def tell_network(address: str, *, key: str, ahead: float) -> None:
    """Tell the telephone network how far the rehearsal is ahead."""
    body = json.dumps({"ahead_seconds": ahead}).encode()
    with urllib.request.urlopen(_request(f"{address}/control/clock", key, body), timeout=5):  # noqa: S310
        pass


def calls_carried(address: str, *, key: str) -> int:
    """Return how many calls the telephone network has open."""
    with urllib.request.urlopen(_request(f"{address}/control/state", key), timeout=5) as state:  # noqa: S310
        return int(json.load(state)["open_calls"])


def _request(address: str, key: str, body: bytes | None = None) -> urllib.request.Request:
    headers = {"Content-Type": "application/json", "X-Sandbox-Key": key}
    return urllib.request.Request(address, data=body, headers=headers)  # noqa: S310  (the sandbox's own)


def watch(connection: psycopg.Connection, *, network: str, key: str) -> None:
    """Look and jump until a server goes away."""
    trace, quiet_since, told_at = "", time.monotonic(), 0.0
    while True:
        sight = look(connection)
        if time.monotonic() - told_at > TELL_NETWORK_EVERY:
            # Again and again: a telephone network that was started anew has lost it.
            tell_network(network, key=key, ahead=ahead_seconds(connection))
            told_at = time.monotonic()
        if sight.trace != trace:
            trace, quiet_since = sight.trace, time.monotonic()
        quiet_for = time.monotonic() - quiet_since
        moment = next_moment(sight, quiet_for=quiet_for)
        if moment is not None:
            # The carrier knows of calls that our tables do not, such as one that is about to reach us.
            moment = next_moment(sight, quiet_for=quiet_for, carried=calls_carried(network, key=key))
        if moment is not None:
            jump(connection, to=moment, network=network, key=key)
            skipped = (moment - sight.now).total_seconds()
            sys.stdout.write(json.dumps({"jumped_to": moment.isoformat(), "skipped_seconds": skipped}) + "\n")
            sys.stdout.flush()
            quiet_since = time.monotonic()
        time.sleep(LOOK_EVERY)


def main() -> None:
    """Watch for ever; a database or a telephone network that is being started again is waited for."""
    network, key = os.environ["TWILIO_API_URL"], os.environ["TWILIO_AUTH_TOKEN"]
    while True:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                watch(connection, network=network, key=key)
        except (OSError, psycopg.OperationalError):
            time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    main()
