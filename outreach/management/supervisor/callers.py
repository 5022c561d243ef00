"""Who rings our numbers and what they ask for, as one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from outreach.domain.phone_number import mask
from outreach.management.supervisor.story_line import Line
from outreach.models import IncomingCall, IncomingChoice

#: A caller who has chosen nothing for so long has hung up.
GONE_AFTER = timedelta(minutes=5)


class Callers:
    """Follows the incoming calls from now on."""

    def __init__(self) -> None:
        """Begin after everything that has happened already."""
        last = IncomingCall.objects.order_by("-pk").first()
        self._last = 0 if last is None else last.pk
        self._undecided: set[int] = set()

    def go_on(self, *, now: datetime, local: Callable[[datetime, str], str]) -> Iterator[Line]:
        """Yield who has rung and what was asked for since the last time; `local` writes a moment."""
        related = ("facilitator", "callback")
        for call in IncomingCall.objects.filter(pk__gt=self._last).select_related(*related).order_by("pk"):
            self._last = call.pk
            self._undecided.add(call.pk)
            yield Line(source="phone", text=f"{_name(call)} rings us{' back' if call.facilitator else ''}")
        waited_for = IncomingCall.objects.filter(pk__in=self._undecided).select_related(*related)
        for call in waited_for.order_by("pk"):
            if call.choice:
                yield Line(source="next", text=f"{_name(call)}: {_wish(call, local)}")
            if call.choice or now - call.received_at > GONE_AFTER:
                self._undecided.discard(call.pk)


def _name(call: IncomingCall) -> str:
    if call.facilitator is not None:
        return call.facilitator.name
    return f"Somebody with {mask(call.number)}" if call.number else "Somebody with a withheld number"


def _wish(call: IncomingCall, local: Callable[[datetime, str], str]) -> str:
    if call.choice == IncomingChoice.STOP.value:
        return "asked never to be called → never called again"
    if call.callback is None or call.callback.by != "alex":
        return "asked to be called back → waits for an operator"
    return (
        f"asked to be called back → called back {local(call.callback.promised_at, call.callback.time_zone)}"
    )
