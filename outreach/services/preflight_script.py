"""For whom a campaign's script has a gap: a placeholder that the person's row cannot fill."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from outreach.domain.script import Script, parse_script, placeholders_of
from outreach.domain.standing import CALLABLE
from outreach.models import Campaign

#: People who are named per gap.
NAMED = 5
#: Columns that may be empty; the others are always filled, or are the campaign's.
_COLUMNS = {"organisation": "organisation", "language": "language", "person_name": "name"}


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A placeholder that some people who may be called have nothing for."""

    placeholder: str
    n_people: int
    spoken: bool
    """Whether it stands in a line that Alex says word for word."""
    people: Sequence[tuple[int, str]]
    """Some of them: id and name."""


def gaps_in(campaign: Campaign) -> list[Gap]:
    """Return the gaps of the campaign's script among those of its people who wait for a call.

    :raises InvalidScript: when the script cannot be read.
    """
    script = parse_script(campaign.script.body)
    spoken = _spoken(script, with_voicemail=campaign.leave_voicemail)
    wanted = sorted(spoken | placeholders_of(script.instructions))
    asked = [(name, source) for name in wanted if (source := _source_of(name)) is not None]
    if not asked:
        return []
    counts = _counts(campaign, [source for _, source in asked])
    gapped = [(name, source, n) for (name, source), n in zip(asked, counts, strict=True) if n]
    people = _people(campaign, [source for _, source, _ in gapped])
    return [
        Gap(placeholder=name, n_people=n, spoken=name in spoken, people=people[at])
        for at, (name, _, n) in enumerate(gapped)
    ]


def _spoken(script: Script, *, with_voicemail: bool) -> set[str]:
    lines = [*script.openings.values(), script.closing_line]
    if with_voicemail:
        lines.append(script.voicemail_line)
    return {name for line in lines for name in placeholders_of(line)}


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where a person's value stands: SQL that reads it, and its one parameter."""

    sql: str
    parameters: tuple[str, ...] = ()


def _source_of(placeholder: str) -> _Source | None:
    if found := re.fullmatch(r"extra\.(.+)", placeholder):
        return _Source(sql="coalesce(extra ->> %s, '')", parameters=(found[1],))
    column = _COLUMNS.get(placeholder)
    return _Source(sql=column) if column else None


def _counts(campaign: Campaign, sources: Sequence[_Source]) -> list[int]:
    counted = ", ".join(f"count(*) FILTER (WHERE btrim({source.sql}) = '')" for source in sources)
    parameters: list[Any] = [parameter for source in sources for parameter in source.parameters]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counted} FROM outreach_facilitator WHERE campaign_id = %s AND standing = ANY(%s)",  # noqa: S608
            [*parameters, campaign.pk, _callable()],
        )
        return list(cursor.fetchone())


def _people(campaign: Campaign, sources: Sequence[_Source]) -> dict[int, list[tuple[int, str]]]:
    """Return some people per gap, by the gap's place in `sources`."""
    people: dict[int, list[tuple[int, str]]] = {at: [] for at in range(len(sources))}
    if not sources:
        return people
    one = "(SELECT {at}, id, name FROM outreach_facilitator WHERE campaign_id = %s AND standing = ANY(%s) "
    parts: list[str] = []
    parameters: list[Any] = []
    for at, source in enumerate(sources):
        parts.append(one.format(at=at) + f"AND btrim({source.sql}) = '' LIMIT {NAMED})")
        parameters += [campaign.pk, _callable(), *source.parameters]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        for at, person_id, name in cursor.fetchall():
            people[at].append((person_id, name))
    return people


def _callable() -> list[str]:
    return sorted(standing.value for standing in CALLABLE)
