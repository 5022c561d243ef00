"""What a campaign's board shows: counts, calls in the air, today, who is due, why the rest wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery

from outreach.domain.standing import CALLABLE, CallKind, Standing
from outreach.management.figures import Figures, figures
from outreach.models import Call, Campaign, DialingControl, Facilitator, Turn
from outreach.services import capacity, clock
from outreach.services.claiming import due

CALLS_SHOWN = 20
REASONS_SHOWN = 8
_CALLABLE = sorted(standing.value for standing in CALLABLE)
_ATTENDED = [Standing.HELD.value, Standing.NEEDS_REVIEW.value]


@dataclass(frozen=True, kw_only=True)
class Present:
    """What happens now; asked every second."""

    at: datetime
    campaign: Campaign
    control: DialingControl
    calls: Sequence[Call]
    """Open calls, oldest first, each with `last_speaker` and `last_text`."""
    n_calls: int
    places_free: int
    places: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """People who wait for the same reason."""

    reason: str
    n_people: int
    soonest_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What is counted over people; asked every few seconds."""

    today: Figures
    due: dict[CallKind, int]
    waiting: list[Waiting]
    attended: list[Waiting]

    @property
    def is_done(self) -> bool:
        """Whether nobody is in a call or will be called by itself again."""
        return not any(self.today.standings.get(name) for name in [*_CALLABLE, Standing.IN_CALL.value])


def present(campaign_id: int) -> Present:
    """Return what happens now in one campaign."""
    now = clock.now()
    newest = Turn.objects.filter(call=OuterRef("pk")).order_by("-seq")
    open_calls = Call.objects.open().by_phone().filter(campaign_id=campaign_id)
    calls = open_calls.select_related("facilitator").order_by("queued_at")
    places_free, places = capacity.agent_places(now)
    return Present(
        at=now,
        campaign=Campaign.objects.get(pk=campaign_id),
        control=DialingControl.objects.get(pk=1),
        calls=list(
            calls.annotate(
                last_text=Subquery(newest.values("text")[:1]),
                last_speaker=Subquery(newest.values("speaker")[:1]),
            )[:CALLS_SHOWN]
        ),
        n_calls=open_calls.count(),
        places_free=places_free,
        places=places,
    )


def counts(campaign: Campaign) -> Counts:
    """Count one campaign's people, and its calls since midnight UTC."""
    now = clock.now()
    people = Facilitator.objects.filter(campaign=campaign)
    later = people.filter(standing__in=_CALLABLE, next_call_at__gt=now)
    return Counts(
        today=figures(campaign=campaign, since=now.date()),
        due={
            kind: due(campaign, kind, now).count()
            for kind in (CallKind.CALLBACK, CallKind.FIRST, CallKind.RETRY)
        },
        waiting=[*_grouped(later, "not_called_code", "standing")],
        attended=[*_grouped(people.filter(standing__in=_ATTENDED), "standing_reason")],
    )


def _grouped(people: QuerySet[Facilitator], *columns: str) -> list[Waiting]:
    """Count people by the first of the columns that says something, the biggest groups first."""
    rows: Any = people.order_by().values_list(*columns)
    grouped: dict[str, Waiting] = {}
    for *said, n, soonest in rows.annotate(n=Count("pk"), soonest=Min("next_call_at")):
        reason = next((value for value in said if value), "")
        known = grouped.get(reason)
        moments = [at for at in (soonest, known.soonest_at if known else None) if at is not None]
        grouped[reason] = Waiting(
            reason=reason,
            n_people=n + (known.n_people if known else 0),
            soonest_at=min(moments, default=None),
        )
    return sorted(grouped.values(), key=lambda waiting: -waiting.n_people)[:REASONS_SHOWN]
