"""A person on a card: who they are, what was promised, what earlier calls brought, why they wait."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from outreach.domain.phone_number import mask
from outreach.domain.standing import CallKind
from outreach.management.operating import mode_badge, plain
from outreach.management.wording import KINDS, in_words, span, their_time
from outreach.models import Call, Callback, Decision, Facilitator, Note

CALLS_SHOWN = 5
DECISIONS_SHOWN = 3


def person_card(person: Facilitator, kind: CallKind) -> Panel:
    """Return everything that an operator wants to know before deciding whether to call."""
    parts = [_who(person), *_promises(person), *_calls(person), *_decisions(person)]
    title = mode_badge()
    title.append(f" {KINDS[kind]} ", style="bold")
    return Panel(Group(*parts), title=title, title_align="left", expand=False, padding=(0, 1))


def _who(person: Facilitator) -> Text:
    who = Text(plain(person.name), style="bold")
    about = [person.organisation, mask(person.number), person.language, f"priority {person.priority}"]
    who.append(f"  #{person.pk}  {' · '.join(plain(part) for part in about if part)}", style="not bold")
    if person.extra:
        told = ", ".join(f"{name}: {value}" for name, value in person.extra.items())
        who.append(f"\n{plain(told)}", style="not bold dim")
    tried = f"{person.attempts_made} attempts so far" if person.attempts_made else "never called yet"
    consent = f"consent: {in_words(person.consent_basis) or 'none'} {plain(person.consent_source)}".strip()
    who.append(f"\n{tried} · {consent}", style="not bold dim")
    return who


def _promises(person: Facilitator) -> list[Text]:
    lines = []
    for promise in Callback.objects.filter(facilitator=person).order_by("-created_at")[:CALLS_SHOWN]:
        by = "a person" if promise.by == "human" else "Alex"
        line = Text(f"callback by {by} {their_time(promise.promised_at, person)}: {promise.state}", "cyan")
        line.append(f" {plain(promise.reason)}" if promise.reason else "", style="not bold")
        lines.append(line)
    return lines


def _calls(person: Facilitator) -> list[Text]:
    lines = []
    calls = list(Call.objects.by_phone().filter(facilitator=person).order_by("-queued_at")[:CALLS_SHOWN])
    notes: dict[object, list[str]] = {}
    for call_id, text in Note.objects.filter(call__in=calls).order_by("seq").values_list("call_id", "text"):
        notes.setdefault(call_id, []).append(text)
    for call in calls:
        line = Text(f"{their_time(call.queued_at, person)}  ", style="dim")
        line.append(in_words(call.disposition or call.status), style="not dim")
        if call.duration_seconds and call.answered_at is not None:
            line.append(f" · {span(call.duration_seconds)}")
        for text in notes.get(call.pk, []):
            line.append(f"\n   note: {plain(text)}", style="magenta not dim")
        lines.append(line)
    return lines


def _decisions(person: Facilitator) -> list[Text]:
    made = Decision.objects.filter(facilitator=person).order_by("-decided_at", "-pk")[:DECISIONS_SHOWN]
    return [
        Text(f"{their_time(one.decided_at, person)}  not called: {plain(one.reason)}", style="dim")
        for one in made
    ]
