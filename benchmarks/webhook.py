"""Twilio's status webhooks on the real hooks process: verified, stored, applied, at sixteen connections."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import aiohttp
import psycopg
from django.conf import settings
from django.db import connection
from twilio.request_validator import RequestValidator

from benchmarks.figures import Figure, Report, main, median, percentile, ratios
from benchmarks.people import a_running_campaign, add_people
from benchmarks.stage import connect_bare, stage
from benchmarks.statements import Statement, recorded, replay
from outreach.domain.call_status import CallStatus
from outreach.domain.standing import CallKind
from outreach.integrations.twilio import STATUSES
from outreach.models import Call, Campaign, Facilitator
from outreach.services import clock, progress

CONNECTIONS = 16
#: As many as the hooks process has: see `programs.product`.
THREADS = 8
CALLS_A_ROUND = 100
ROUNDS = 4

#: What Twilio says of a call that is answered, and of one that is not; by turns.
_ANSWERED = ("initiated", "ringing", "in-progress", "completed")
_UNANSWERED = ("initiated", "ringing", "no-answer")

_KEEP = "CREATE TEMPORARY TABLE kept AS SELECT * FROM outreach_call"
_BACK = """
DELETE FROM outreach_callevent;
DELETE FROM outreach_call WHERE id IN (SELECT id FROM kept);
INSERT INTO outreach_call SELECT * FROM kept;
DROP TABLE kept;
UPDATE outreach_facilitator SET standing = 'in_call', standing_reason = '', next_call_at = NULL
WHERE id IN (SELECT facilitator_id FROM outreach_call WHERE settled_at IS NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One event of Twilio's about one call."""

    token: str
    params: dict[str, str]


def measure(report: Report) -> None:
    """Send webhooks and make their statements by turns, each about calls of their own."""
    ours: list[float] = []
    bare: list[float] = []
    latencies: list[float] = []
    with stage() as running:
        running.start("hooks")
        campaign = a_running_campaign(calls_per_second=100, max_open_calls=1_000)
        people = iter(range(1, 10_000_000))
        for attempt in range(ROUNDS + 1):
            rate, waited = asyncio.run(_send(_webhooks(_dialled(campaign, people))))
            rate_of_bare = _make_statements(_webhooks(_dialled(campaign, people)))
            if attempt:
                ours.append(rate)
                bare.append(rate_of_bare)
                latencies += waited
    report.figures += [
        Figure(name="webhooks verified, stored and applied", value=median(ours), unit="/s", at_least=300),
        Figure(name="their statements in bare psycopg", value=median(bare), unit="/s"),
        Figure(name="share of bare psycopg", value=median(ratios(ours, bare)), at_least=0.3),
        Figure(name="answer, median", value=percentile(latencies, 0.5) * 1000, unit="ms"),
        Figure(name="answer, 99 of 100", value=percentile(latencies, 0.99) * 1000, unit="ms", at_most=100),
    ]
    report.remarks.append(f"{CONNECTIONS} connections; bare psycopg with {THREADS} threads and connections.")


def _dialled(campaign: Campaign, people: Iterable[int]) -> list[Call]:
    """Return calls that the carrier has just accepted."""
    numbers = [number for number, _ in zip(people, range(CALLS_A_ROUND), strict=False)]
    add_people(campaign, first=numbers[0], last=numbers[-1])
    now = clock.now()
    called = list(Facilitator.objects.filter(campaign=campaign, standing="new"))
    calls = [
        Call(
            facilitator=person,
            campaign=campaign,
            script_id=campaign.script_id,
            number=person.number,
            caller_id=campaign.caller_ids[0],
            kind=CallKind.FIRST.value,
            status=CallStatus.DIALING.value,
            twilio_sid=f"CA{person.pk:032x}",
            **dict.fromkeys(("queued_at", "preparing_at", "ready_at", "dialing_at", "placed_at"), now),
            deadline_at=now + timedelta(hours=1),
        )
        for person in called
    ]
    Call.objects.bulk_create(calls)
    Facilitator.objects.filter(standing="new").update(standing="in_call", next_call_at=None)
    return calls


def _webhooks(calls: Sequence[Call]) -> list[list[Webhook]]:
    """Return each call's webhooks in order."""
    return [
        [
            Webhook(token=call.token, params=_params(call, said, n))
            for n, said in enumerate(_ANSWERED if at % 2 else _UNANSWERED)
        ]
        for at, call in enumerate(calls)
    ]


def _params(call: Call, said: str, n: int) -> dict[str, str]:
    """Return what Twilio sends with a status event.

    https://www.twilio.com/docs/voice/api/call-resource#statuscallback
    """
    params = {
        "CallSid": str(call.twilio_sid),
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "From": call.caller_id,
        "To": call.number,
        "Caller": call.caller_id,
        "Called": call.number,
        "CallStatus": said,
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-api",
        "Timestamp": "Tue, 03 Mar 2026 15:05:00 +0000",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(n),
    }
    return params | ({"CallDuration": "42", "Duration": "1"} if said == "completed" else {})


async def _send(calls: list[list[Webhook]]) -> tuple[float, list[float]]:
    """Send the webhooks as Twilio would; return how many were taken a second, and each one's wait."""
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    ready = [[_request(webhook, validator) for webhook in webhooks] for webhooks in calls]
    waited: list[float] = []
    left = iter(ready)

    async def be_a_connection() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http:
            for requests in left:
                for address, body, headers in requests:
                    began = time.perf_counter()
                    async with http.post(address, data=body, headers=headers) as answer:
                        await answer.read()
                    waited.append(time.perf_counter() - began)
                    if answer.status != 204:
                        raise RuntimeError(f"a webhook was answered with {answer.status}")

    began = time.perf_counter()
    await asyncio.gather(*(be_a_connection() for _ in range(CONNECTIONS)))
    return len(waited) / (time.perf_counter() - began), waited


def _request(webhook: Webhook, validator: RequestValidator) -> tuple[str, bytes, dict[str, str]]:
    address = f"{settings.PUBLIC_BASE_URL}/hooks/twilio/status/{webhook.token}"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": validator.compute_signature(address, webhook.params),
    }
    return address, urlencode(webhook.params).encode(), headers


def _make_statements(calls: list[list[Webhook]]) -> float:
    """Let the product apply the webhooks, take that back, and make its statements again; return the rate."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP)
    said = [[_apply(webhook) for webhook in webhooks] for webhooks in calls]
    with connection.cursor() as cursor:
        cursor.execute(_BACK)
    left = iter(said)
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(THREADS))
        connections = [stack.enter_context(connect_bare()) for _ in range(THREADS)]

        def be_a_thread(bare: psycopg.Connection) -> None:
            for transactions in left:
                for transaction in transactions:
                    replay(bare, transaction)

        began = time.perf_counter()
        for done in [threads.submit(be_a_thread, bare) for bare in connections]:
            done.result()
        return sum(map(len, said)) / (time.perf_counter() - began)


def _apply(webhook: Webhook) -> list[Statement]:
    said, sid = webhook.params["CallStatus"], webhook.params["CallSid"]
    with recorded() as statements:
        result = progress.apply_provider_event(
            token=webhook.token,
            event_id=f"{sid}:{webhook.params['SequenceNumber']}:{said}",
            kind=said,
            status=STATUSES[said],
            sid=sid,
            payload=webhook.params,
            duration=42 if said == "completed" else None,
        )
    if not result.known:
        raise RuntimeError("a webhook was about no call")
    return statements


if __name__ == "__main__":
    sys.exit(main("webhook", measure, description=__doc__))
