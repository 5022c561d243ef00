"""A campaign's board as a terminal shows it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outreach.desk.reasons import reason_of
from outreach.domain.contracts import PartialWord, TurnWord
from outreach.domain.phone_number import mask
from outreach.domain.standing import CallKind
from outreach.management.board import Counts, Present, Waiting
from outreach.management.figures_table import percent
from outreach.management.operating import mode_badge, plain
from outreach.management.wording import ahead, in_words, span
from outreach.models import Call, Campaign, CampaignState

_STATES = {
    CampaignState.RUNNING: "bold green",
    CampaignState.PAUSED: "bold yellow",
    CampaignState.HELD: "bold red",
}
_STANDINGS = {
    "interested": "green",
    "callback_due": "cyan",
    "in_call": "bold",
    "suppressed": "red",
    "held": "yellow",
    "needs_review": "yellow",
}
_DUE = {CallKind.CALLBACK: "callbacks", CallKind.FIRST: "first calls", CallKind.RETRY: "retries"}

Spoken = Mapping[UUID, TurnWord | PartialWord]


def board_of(now: Present, counted: Counts, spoken: Spoken) -> RenderableType:
    """Return the whole board; `spoken` is what the stream of words said last per call."""
    return Group(
        _head(now),
        _state(now),
        Text(""),
        _standings(counted),
        _today(counted),
        _due(counted),
        Text(""),
        _calls(now, spoken),
        Text(""),
        *_waiting(now, counted),
    )


def state_of(campaign: Campaign) -> Text:
    """Return a campaign's state, with the reason where there is one."""
    line = Text(campaign.state, style=_STATES.get(CampaignState(campaign.state), "bold"))
    if campaign.state_reason:
        line.append(f": {plain(campaign.state_reason)}", style="not bold")
    if campaign.release_at is not None:
        line.append(f" (until {campaign.release_at:%H:%M} UTC)", style="not bold")
    return line


def standings_of(standings: Mapping[str, int]) -> Text:
    """Return how people stand, in one line."""
    line = Text()
    for standing, n in standings.items():
        line.append(f"{n} ", style="bold")
        line.append(f"{in_words(standing)}   ", style=_STANDINGS.get(standing, ""))
    return line if standings else Text("nobody yet: import people with manage.py import_facilitators")


def _head(now: Present) -> Text:
    line = mode_badge()
    line.append(f" {plain(now.campaign.name)}", style="bold")
    line.append(f" · {now.at:%a %d %b %H:%M:%S} UTC", style="dim")
    return line


def _state(now: Present) -> Text:
    line = state_of(now.campaign)
    if now.control.stopped:
        line.append("   ALL DIALING IS STOPPED ", style="bold white on red")
        line.append(f" {plain(now.control.stop_reason)}", style="red")
    if not now.places:
        line.append("   no agent worker reports: nobody can be called", style="yellow")
    else:
        taken = now.places - now.places_free
        line.append(f"   {taken} of {now.places} places of Alex are taken", style="dim")
    return line


def _standings(counted: Counts) -> Text:
    line = Text(f"People  {counted.today.people}   ", style="dim")
    line.append_text(standings_of(counted.today.standings))
    return line


def _today(counted: Counts) -> Text:
    today = counted.today
    line = Text("Today   ", style="dim")
    for n, what in (
        (today.dialled, "dialled"),
        (today.answered_by_person, "answered by a person"),
        (today.people_interested, "interested"),
        (today.our_faults, "our faults"),
    ):
        line.append(f"{n} ", style="bold not dim")
        line.append(f"{what}   ", style="not dim")
    line.append(f"answer rate {percent(today.answer_rate)}", style="not dim")
    return line


def _due(counted: Counts) -> Text:
    line = Text("Due     ", style="dim")
    for kind, n in counted.due.items():
        line.append(f"{n} ", style="bold not dim")
        line.append(f"{_DUE[kind]}   ", style="not dim")
    return line


def _calls(now: Present, spoken: Spoken) -> RenderableType:
    if not now.calls:
        return Text("No call is in the air.", style="dim")
    table = Table(box=None, header_style="dim", expand=True, padding=(0, 2, 0, 0))
    table.add_column(f"{now.n_calls} in the air", no_wrap=True)
    table.add_column("number", no_wrap=True)
    table.add_column("stage", no_wrap=True)
    table.add_column("since", justify="right", no_wrap=True)
    table.add_column("last line", ratio=1, no_wrap=True, overflow="ellipsis")
    for call in now.calls:
        since = call.answered_at or call.dialing_at or call.queued_at
        table.add_row(
            plain(call.who),
            mask(call.number),
            in_words(_stage(call)),
            span((now.at - since).total_seconds()),
            _last_line(call, spoken),
        )
    return table


def _stage(call: Call) -> str:
    """Return where a call stands: the conversation's stage once there is one.

    Words often come before the carrier's news that somebody has picked up.
    """
    return call.stage or call.status


def _last_line(call: Call, spoken: Spoken) -> Text:
    word = spoken.get(call.pk)
    speaker, text = getattr(call, "last_speaker", None), getattr(call, "last_text", None)
    if word is not None:
        speaker, text = word.speaker, word.text or "speaking…"
    if not speaker:
        return Text("")
    style = "green" if speaker == "alex" else "yellow"
    line = Text("Alex: " if speaker == "alex" else "They: ", style=style)
    line.append(plain(text or "").replace("\n", " "), style="italic" if isinstance(word, PartialWord) else "")
    return line


def _waiting(now: Present, counted: Counts) -> list[Text]:
    lines = []
    if counted.waiting:
        lines.append(Text("Not called yet, because", style="dim"))
        lines += [_group(now, waiting) for waiting in counted.waiting]
    if counted.attended:
        lines.append(Text("Waiting for an operator", style="dim"))
        lines += [_group(now, waiting) for waiting in counted.attended]
    return lines


def _group(now: Present, waiting: Waiting) -> Text:
    line = Text(f"{waiting.n_people:>6} ", style="bold")
    reason = reason_of(waiting.reason) or "no reason is known"
    line.append(plain(reason), style="not bold")
    if waiting.soonest_at is not None:
        line.append(f" · the next one {ahead(waiting.soonest_at - now.at)}", style="not bold dim")
    return line
