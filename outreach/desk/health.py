"""The health of the pieces, each with a plain sentence for what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from outreach.domain.contracts import WORDS_GROUP, WORDS_STREAM
from outreach.domain.defaults import AGENT_LOST_AFTER
from outreach.models import AgentWorker, CallEvent, CheckResult, CheckStatus, DialingControl
from outreach.services.model_limits import model_budget
from outreach.tasks import LISTS_OF_DIAL

#: Beat writes its last runs to the database every three minutes.
BEAT_SILENT_AFTER = timedelta(minutes=4)
TASKS_WAITING = 50
WORDS_BEHIND = 200
INCIDENTS_WITHIN = timedelta(minutes=15)
INCIDENTS_COUNTED = 100
#: The vendors whose checks are looked at, by the area of the checks.
VENDORS = {"twilio": "Twilio", "livekit": "LiveKit", "groq": "Groq"}
_QUEUES = (*LISTS_OF_DIAL, "ops", "post")
_REDIS: dict[str, redis.Redis] = {}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece of the machinery: well, or not and what to do."""

    name: str
    well: bool
    says: str
    known: bool = True
    """Whether anybody has looked; what is not known is neither well nor wrong."""


def health_of(now: datetime) -> list[Piece]:
    """Return the health of agents, recorder, Celery worker, beat, webhooks and vendors."""
    return [_agents(now), *_from_redis(), _beat(), _webhooks(now), *_vendors(now)]


def _agents(now: datetime) -> Piece:
    reporting = AgentWorker.objects.filter(reported_at__gte=now - timedelta(seconds=AGENT_LOST_AFTER))
    workers = list(reporting.only("places", "free", "draining"))
    if not workers:
        return Piece(
            name="Alex",
            well=False,
            says="No agent worker reports, so no call can start. Is “python -m agentworker” running?",
        )
    free = sum(worker.free for worker in workers if not worker.draining)
    places = sum(worker.places for worker in workers)
    spread = f", on {len(workers)} workers" if len(workers) > 1 else ""
    budget = model_budget(DialingControl.objects.get(pk=1))
    if budget == 0:
        return Piece(
            name="Alex",
            well=False,
            says="The models' limits carry no call, so none starts. “manage.py doctor” says what they need.",
        )
    if budget is not None and budget < places:
        spread += f"; the models carry {budget} calls at once"
    return Piece(name="Alex", well=True, says=f"{free} of {places} lines free{spread}")


def _from_redis() -> list[Piece]:
    client = _client()
    try:
        waiting = sum(int(client.llen(queue)) for queue in _QUEUES)
        behind = _words_behind(client)
    except (redis.RedisError, OSError):
        return [
            Piece(
                name="Live words",
                well=False,
                says="Redis does not answer: live words stop, calls in progress go on.",
            )
        ]
    return [_recorder(behind), _tasks(waiting)]


def _recorder(behind: int) -> Piece:
    if behind > WORDS_BEHIND:
        says = f"{behind} words behind: stored transcripts come later. Is “manage.py record” running?"
        return Piece(name="Transcripts", well=False, says=says)
    says = f"{behind} word{'s' * (behind > 1)} behind" if behind else "all stored"
    return Piece(name="Transcripts", well=True, says=says)


def _tasks(waiting: int) -> Piece:
    if waiting > TASKS_WAITING:
        says = f"{waiting} tasks wait. Is the Celery worker running?"
        return Piece(name="Work queue", well=False, says=says)
    return Piece(name="Work queue", well=True, says=f"{waiting} tasks waiting" if waiting else "empty")


def _beat() -> Piece:
    last = (
        PeriodicTask.objects.filter(enabled=True, last_run_at__isnull=False)
        .order_by("-last_run_at")
        .values_list("last_run_at", flat=True)
        .first()
    )
    if last is None:
        return Piece(
            name="Schedule",
            well=False,
            says="It has not ticked yet, so nobody is dialled. Is “celery beat” running?",
        )
    age = timezone.now() - last  # beat runs on the machine's own clock, in a rehearsal too
    if age > BEAT_SILENT_AFTER:
        says = f"It last ticked {round(age.total_seconds() / 60)} minutes ago. Is “celery beat” running?"
        return Piece(name="Schedule", well=False, says=says)
    return Piece(name="Schedule", well=True, says="ticking; last tick written " + _ago(age))


def _webhooks(now: datetime) -> Piece:
    """Return whether anything came from outside lately that must not happen."""
    latest = CallEvent.objects.filter(received_at__gte=now - INCIDENTS_WITHIN, incident=True)
    n = len(latest.values_list("pk")[:INCIDENTS_COUNTED])
    if not n:
        return Piece(name="Webhooks", well=True, says="nothing out of order in the last quarter of an hour")
    many = f"{n} or more" if n == INCIDENTS_COUNTED else str(n)
    says = f"{many} out of order in the last quarter of an hour: open Events and filter by “incident”."
    return Piece(name="Webhooks", well=False, says=says)


def _vendors(now: datetime) -> list[Piece]:
    """Return whether each vendor was reached when the checks were made last."""
    rows: dict[str, list[CheckResult]] = {area: [] for area in VENDORS}
    for row in CheckResult.objects.filter(area__in=list(VENDORS)).order_by("-checked_at"):
        rows[row.area].append(row)
    return [_vendor(name, rows[area], now) for area, name in VENDORS.items()]


def _vendor(name: str, results: list[CheckResult], now: datetime) -> Piece:
    looked = [row for row in results if row.status != CheckStatus.SKIPPED]
    if not looked:
        says = "not checked yet: a campaign's page has “Check again”"
        return Piece(name=name, well=True, known=False, says=says)
    wrong = next((row for row in looked if row.status == CheckStatus.FAIL), None)
    if wrong is not None:
        return Piece(name=name, well=False, says=f"{wrong.finding} {wrong.remedy}".strip())
    age = now - looked[0].checked_at
    return Piece(name=name, well=True, says=f"in order when last checked, {_ago(age)}")


def _ago(age: timedelta) -> str:
    minutes = max(0, round(age.total_seconds() / 60))
    for n, unit in ((minutes // 1440, "day"), (minutes // 60, "hour"), (minutes, "minute")):
        if n:
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def _words_behind(client: Any) -> int:
    """Return how many words the recorder has not stored yet; 0 when nothing was ever said."""
    if not client.exists(WORDS_STREAM):
        return 0
    for group in client.xinfo_groups(WORDS_STREAM):
        name = group["name"]
        if (name.decode() if isinstance(name, bytes) else name) == WORDS_GROUP:
            return int(group.get("lag") or 0) + int(group["pending"])
    return int(client.xlen(WORDS_STREAM))


def _client() -> redis.Redis:
    """Return this process's client for short questions."""
    url = settings.REDIS_URL
    if url not in _REDIS:
        _REDIS[url] = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    return _REDIS[url]
