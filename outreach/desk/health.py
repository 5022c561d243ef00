"""The health of the pieces, each with a plain sentence for what is wrong and what to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from redis.backoff import NoBackoff
from redis.retry import Retry

from outreach.desk.piece import Piece, ago, span
from outreach.desk.vendors import vendors, webhooks_silent
from outreach.domain.contracts import WORDS_GROUP, WORDS_STREAM
from outreach.domain.defaults import AGENT_LOST_AFTER
from outreach.models import AgentWorker, CallEvent, DialingControl
from outreach.services.model_limits import model_budget
from outreach.tasks import LISTS_OF_DIAL

#: Beat writes its last runs to the database every three minutes.
BEAT_SILENT_AFTER = timedelta(minutes=4)
TASKS_WAITING = 50
WORDS_BEHIND = 200
INCIDENTS_WITHIN = timedelta(minutes=15)
INCIDENTS_COUNTED = 100
#: A recorder asks for words every second.
RECORDER_SILENT_AFTER = timedelta(seconds=30)
_QUEUES = (*LISTS_OF_DIAL, "ops", "post")
_REDIS: dict[str, redis.Redis] = {}


def health_of(now: datetime) -> list[Piece]:
    """Return the health of agents, recorder, Celery worker, beat, webhooks and vendors."""
    control = DialingControl.objects.get(pk=1)
    return [_agents(now, control), *_from_redis(), _beat(), _webhooks(now), *vendors(now, control)]


def _agents(now: datetime, control: DialingControl) -> Piece:
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
    budget = model_budget(control)
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
        behind, silent = _words_behind(client), _recorder_silent(client)
    except (redis.RedisError, OSError):
        return [
            Piece(
                name="Valkey",
                well=False,
                says=(
                    "It does not answer: nobody is dialled and live words stop. Calls in progress go on, and "
                    "what is said in them is stored later. Is it running?"
                ),
            )
        ]
    return [_recorder(behind, silent), _tasks(waiting)]


def _recorder(behind: int, silent: timedelta | None) -> Piece:
    if silent is not None and silent > RECORDER_SILENT_AFTER:
        says = (
            f"No recorder has asked for words for {span(silent)}; {behind} wait, and are stored when it "
            "runs again. Is “manage.py record” running?"
        )
        return Piece(name="Transcripts", well=False, says=says)
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
    return Piece(name="Schedule", well=True, says=f"ticking; last tick written {ago(age)}")


def _webhooks(now: datetime) -> Piece:
    """Return whether anything came from outside lately that must not happen."""
    latest = CallEvent.objects.filter(received_at__gte=now - INCIDENTS_WITHIN, incident=True)
    n = len(latest.values_list("pk")[:INCIDENTS_COUNTED])
    if webhooks_silent(now):
        says = (
            "Twilio took calls in the last quarter of an hour, but none of its news has arrived here. Do the "
            "hooks run, and can it reach PUBLIC_BASE_URL? “manage.py doctor” tries it."
        )
        return Piece(name="Webhooks", well=False, says=says)
    if not n:
        return Piece(name="Webhooks", well=True, says="nothing out of order in the last quarter of an hour")
    many = f"{n} or more" if n == INCIDENTS_COUNTED else str(n)
    says = f"{many} out of order in the last quarter of an hour: open Events and filter by “incident”."
    return Piece(name="Webhooks", well=False, says=says)


def _words_behind(client: Any) -> int:
    """Return how many words the recorder has not stored yet; 0 when nothing was ever said."""
    if not client.exists(WORDS_STREAM):
        return 0
    for group in client.xinfo_groups(WORDS_STREAM):
        name = group["name"]
        if (name.decode() if isinstance(name, bytes) else name) == WORDS_GROUP:
            return int(group.get("lag") or 0) + int(group["pending"])
    return int(client.xlen(WORDS_STREAM))


def _recorder_silent(client: Any) -> timedelta | None:
    """Return how long no recorder has asked for words; None: there was none yet."""
    try:
        consumers = client.xinfo_consumers(WORDS_STREAM, WORDS_GROUP)
    except redis.ResponseError:  # no stream, or no group: it was never asked
        return None
    idle = min((int(consumer["idle"]) for consumer in consumers), default=None)
    return None if idle is None else timedelta(milliseconds=idle)


def _client() -> redis.Redis:
    """Return this process's client for short questions: a page waits for it, so it asks once."""
    url = settings.REDIS_URL
    if url not in _REDIS:
        once = Retry(NoBackoff(), 0)
        _REDIS[url] = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=once)
    return _REDIS[url]
