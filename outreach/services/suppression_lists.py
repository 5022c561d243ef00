"""Lists of numbers that are never called: taken in, written out, and a number taken off with a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from outreach.domain.number_list import ListedNumber
from outreach.domain.spreadsheet_cells import safe_cell
from outreach.domain.standing import Standing
from outreach.models import Facilitator, Suppression, SuppressionSource
from outreach.services import clock
from outreach.services.locks import lock_number
from outreach.services.suppressing import suppress_all

BATCH = 200
"""Numbers locked at once: PostgreSQL keeps every lock of a transaction in shared memory."""
COLUMNS = ("number", "source", "reason", "added by", "since", "call")


@dataclass(frozen=True, kw_only=True)
class ListTaken:
    """What a list changed."""

    new: int
    known: int
    people: int
    """People who are not called any more because of it."""


def take_list(*, numbers: Sequence[ListedNumber], proof: str, by: str) -> ListTaken:
    """Suppress every number of a list, batch by batch; taking it twice changes nothing.

    :param proof: where the list comes from, kept with each number that gives no reason of its own.
    """
    new = people = 0
    for begin in range(0, len(numbers), BATCH):
        reasons = {
            listed.number: f"{listed.reason} ({proof})" if listed.reason else proof
            for listed in numbers[begin : begin + BATCH]
        }
        done = suppress_all(reasons=reasons, source=SuppressionSource.IMPORT, by=by)
        new += done.new
        people += done.people
    return ListTaken(new=new, known=len(numbers) - new, people=people)


@transaction.atomic
def allow_again(*, suppression_id: int, by: str, reason: str) -> int:
    """Take a number off the list of those never to be called; return how many people had it.

    They stay closed: under review, until an operator releases each of them. Why is kept in the history.
    """
    number = Suppression.objects.values_list("number", flat=True).get(pk=suppression_id)
    lock_number(number)
    suppression = Suppression.objects.select_for_update().get(pk=suppression_id)
    suppression._change_reason = reason[:100]  # type: ignore[attr-defined]
    suppression._history_date = clock.now()  # type: ignore[attr-defined]
    suppression.delete()
    people = Facilitator.objects.filter(number=number, standing=Standing.SUPPRESSED.value)
    return people.update(
        standing=Standing.NEEDS_REVIEW.value,
        standing_reason=f"Taken off “never call” by {by}: {reason}"[:300],
        not_called_code="",
        not_called_reason="",
        updated_at=clock.now(),
    )


def written_out(suppressions: Iterator[Suppression]) -> Iterator[bytes]:
    """Yield the lines of a CSV file with these suppressions; no cell is run as a formula."""
    yield "\ufeff".encode()
    yield _line(COLUMNS)
    for one in suppressions:
        yield _line(
            (
                one.number,
                one.get_source_display(),
                one.reason,
                one.created_by,
                one.created_at.isoformat(timespec="seconds"),
                str(one.call_id or ""),
            )
        )


def _line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(safe_cell(str(cell)) for cell in cells)
    return line.getvalue().encode()
