"""Celery's entry points: hints that may be lost or repeated. Each loads an id and makes one service call.

A task's one argument is an id; nothing about people travels through the broker.
"""

from __future__ import annotations

from contextlib import closing
from uuid import UUID

from celery import current_app, shared_task
from django.conf import settings
from kombu.transport.redis import Channel

from outreach.doctor import examining, groq_models
from outreach.domain.defaults import SUMMARY_REFUSED_WAIT
from outreach.integrations import hook_posts, livekit, prices, summaries, twilio, twilio_account
from outreach.services import (
    after_call,
    caller_ids,
    carrier_account,
    costs,
    dialing,
    dispatching,
    finishing,
    hearing,
    hook_deliveries,
    housekeeping,
    import_checking,
    import_tending,
    importing,
    interests,
    model_trouble,
    notices,
    reconciling,
    summarising,
    tallying,
)

#: Redis takes lower numbers first (0, 3, 6, 9). Whoever is in a room and ready is dialled before the next
#: room is made: Alex is ready for seconds only. Ticks come last: another one follows and nothing is lost
#: with one, while ticks before rooms would keep workers that are behind from ever making one.
AFTER_DIALS = 6
TICKS_LAST = 9
#: Redis keeps a list for each priority of a queue.
_ROOMS_TO_MAKE = f"dial{Channel.sep}{AFTER_DIALS}"
LISTS_OF_DIAL = ("dial", _ROOMS_TO_MAKE, f"dial{Channel.sep}{TICKS_LAST}")


@shared_task(name="outreach.dial_due", queue="dial", max_retries=0, priority=TICKS_LAST)
def dial_due(**_: object) -> None:
    """Beat's tick: claim callbacks that are due and new people. Idempotent: each row is claimed once."""
    lost = [] if _rooms_wait_to_be_made() else dispatching.calls_to_prepare()
    for call_id in {*dispatching.claim_due(), *lost}:
        prepare_call.delay(call_id=str(call_id))
    for call_id in dispatching.calls_to_dial():
        dial_call.delay(call_id=str(call_id))


def _rooms_wait_to_be_made() -> bool:
    """Tell whether hints to prepare calls are waiting: then workers are behind, and none need be lost."""
    with current_app.connection_or_acquire() as broker:
        return bool(broker.default_channel.client.llen(_ROOMS_TO_MAKE))


@shared_task(name="outreach.retry_due", queue="dial", max_retries=0, priority=TICKS_LAST)
def retry_due(**_: object) -> None:
    """Beat's tick: claim people whose retry is due. Idempotent: each row is claimed once."""
    for call_id in dispatching.claim_retries():
        prepare_call.delay(call_id=str(call_id))


@shared_task(name="outreach.prepare_call", queue="dial", max_retries=0, priority=AFTER_DIALS)
def prepare_call(*, call_id: str, **_: object) -> None:
    """Send Alex into the room of one claimed call. At most once: a compare-and-set goes first."""
    carrier_account.look_now_and_then(account=twilio_account.account())
    dialing.prepare_call(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.dial_call", queue="dial", max_retries=0)
def dial_call(*, call_id: str, **_: object) -> None:
    """Place one call whose agent is ready. At most once: the committed intent goes first."""
    dialing.dial_call(call_id=UUID(call_id), telephony=twilio.telephony())
    dialing.close_room_of_ended(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.close_room", queue="ops", max_retries=0)
def close_room(*, call_id: str, **_: object) -> None:
    """Delete the room of a call whose line is free. Idempotent."""
    dialing.close_room(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.hang_up", queue="ops", max_retries=0)
def hang_up(*, call_id: str, **_: object) -> None:
    """End one call at the carrier and in its room. Idempotent."""
    dialing.hang_up(call_id=UUID(call_id), telephony=twilio.telephony(), rooms=livekit.rooms())


@shared_task(name="outreach.judge_model_failure", queue="ops", max_retries=0)
def judge_model_failure(*, call_id: str, **_: object) -> None:
    """Find out whether a model that failed in a call refuses for good, and hold what must be. Idempotent."""
    model_trouble.judge(call_id=UUID(call_id), why_refused=groq_models.why_refused)


@shared_task(name="outreach.sweep_calls", queue="ops", max_retries=0)
def sweep_calls(**_: object) -> None:
    """Beat's tick: look into calls past a deadline or without their agent. Idempotent, one at a time."""
    reconciling.sweep(telephony=twilio.telephony(), rooms=livekit.rooms())


@shared_task(name="outreach.tend_campaigns", queue="ops", max_retries=0)
def tend_campaigns(**_: object) -> None:
    """Beat's tick: finish the campaigns whose last day is over, note what was heard. Idempotent."""
    finishing.finish_over()
    hearing.catch_up()


@shared_task(name="outreach.tally_calls", queue="ops", max_retries=0)
def tally_calls(**_: object) -> None:
    """Beat's tick: take settled and corrected calls into the statistics. Idempotent: each once."""
    caller_ids.make_rows()
    tallying.take_in()


@shared_task(name="outreach.count_people", queue="ops", max_retries=0)
def count_people(**_: object) -> None:
    """Beat's tick: add up what changed in where people stand. Idempotent: the sums stay."""
    tallying.count_people()


@shared_task(name="outreach.expire_old_events", queue="post", max_retries=0)
def expire_old_events(**_: object) -> None:
    """Beat's tick: delete what need not be kept. Idempotent."""
    housekeeping.expire()


@shared_task(name="outreach.summarise_calls", queue="post", max_retries=0)
def summarise_calls(**_: object) -> None:
    """Beat's tick: sum up conversations that are over. Idempotent: each row is claimed, and made once."""
    after_call.take_up()
    if not settings.GROQ_API_KEY:
        summarising.postpone(problem=summarising.NO_KEY, seconds=SUMMARY_REFUSED_WAIT)
        return
    with closing(summaries.summariser()) as summariser:
        summarising.summarise_due(summariser=summariser)


@shared_task(name="outreach.price_calls", queue="post", max_retries=0)
def price_calls(**_: object) -> None:
    """Beat's tick: count what calls cost, and ask the carrier for its prices. Idempotent."""
    after_call.take_up()
    if settings.TWILIO_ACCOUNT_SID:
        costs.bill_due(carrier=prices.carrier_prices())


@shared_task(name="outreach.run_checks", queue="ops", max_retries=0, soft_time_limit=110, time_limit=120)
def run_checks(*, campaign_id: int | None = None, **_: object) -> None:
    """Make doctor's checks and keep their results. Idempotent: they only look, and the last ones count."""
    examining.examine(campaign_id=campaign_id)


@shared_task(name="outreach.look_at_balance", queue="ops", max_retries=0)
def look_at_balance(**_: object) -> None:
    """Beat's tick: ask the carrier for the account's balance, of which notices tell. Idempotent."""
    if settings.TWILIO_ACCOUNT_SID:
        examining.examine_balance()


@shared_task(name="outreach.check_import", queue="post", max_retries=0, soft_time_limit=570, time_limit=600)
def check_import(*, batch_id: int, **_: object) -> None:
    """Look at an uploaded list. Idempotent: what was looked at is left alone."""
    import_checking.check_import(batch_id=batch_id)


@shared_task(name="outreach.run_import", queue="post", max_retries=0, soft_time_limit=570, time_limit=600)
def run_import(*, batch_id: int, **_: object) -> None:
    """Import a list that was confirmed. Idempotent: one transaction, and what is done is left alone."""
    importing.run_import(batch_id=batch_id)


@shared_task(name="outreach.tend_imports", queue="ops", max_retries=0)
def tend_imports(**_: object) -> None:
    """Beat's tick: begin anew what a dead process left, and forget old files. Idempotent."""
    todo = import_tending.tend()
    for batch_id in todo.imports:
        run_import.delay(batch_id=batch_id)
    for batch_id in todo.looks:
        check_import.delay(batch_id=batch_id)


@shared_task(name="outreach.deliver_hooks", queue="post", max_retries=0)
def deliver_hooks(**_: object) -> None:
    """Beat's tick: tell other programs what happened. Each delivery at least once, under one id."""
    hook_deliveries.deliver_due(deliver=hook_posts.deliver, private=settings.HOOKS_TO_PRIVATE_ADDRESSES)


@shared_task(name="outreach.send_notices", queue="post", max_retries=0)
def send_notices(**_: object) -> None:
    """Beat's tick: tell operators what needs them, and who is interested. At least once per matter."""
    notices.send_notices(post=hook_posts.post)
    if settings.EMAIL_HOST:
        interests.tell_interested()
