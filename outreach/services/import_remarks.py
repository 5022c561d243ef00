"""What is to be said about an imported file as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from outreach.domain.csv_columns import Columns
from outreach.domain.csv_rows import RowProblem
from outreach.domain.standing import Standing
from outreach.models import Facilitator, ImportBatch, ImportState
from outreach.services.import_reading import Fingerprint

#: Codes of what is said of those whom a list brought and whom nobody calls.
HELD, NEVER_CALLED = "held", "suppressed"


def remarks_on(batch: ImportBatch, look: Fingerprint, columns: Columns) -> Iterator[RowProblem]:
    """Yield warnings on line 1: doubts about reading it, who may not be called, and a repeated file."""
    if look.doubt:
        yield _remark("encoding", look.doubt)
    for indexes in columns.of.values():
        if len(indexes) > 1:
            names = ", ".join(f'"{columns.headers[i]}"' for i in indexes)
            yield _remark("several_columns", f"{names} mean the same; the first filled cell of a row counts.")
    if columns.left_out:
        names = ", ".join(f'"{header}"' for header in columns.left_out)
        yield _remark("columns_left_out", f"Too many columns; these were not kept: {names}.")
    yield from _not_callable(batch)
    earlier = (
        ImportBatch.objects.filter(
            campaign_id=batch.campaign_id, sha256=batch.sha256, state=ImportState.IMPORTED
        )
        .exclude(pk=batch.pk)
        .order_by("-pk")
        .first()
    )
    if earlier is not None:
        changed = batch.rows_created + batch.rows_updated
        outcome = f"{changed} people were added or changed this time" if changed else "nothing was changed"
        yield _remark(
            "same_file",
            f"The same file was imported on {earlier.created_at:%Y-%m-%d} (import {earlier.pk}); {outcome}.",
        )


def _not_callable(batch: ImportBatch) -> Iterator[RowProblem]:
    standings = Facilitator.objects.filter(import_batch=batch).values_list("standing")
    count = dict(standings.annotate(Count("pk")))
    if held := count.get(Standing.HELD.value):
        yield _remark(HELD, f"{held:,} of the new people are held; their pages say why.")
    if suppressed := count.get(Standing.SUPPRESSED.value):
        yield _remark(
            NEVER_CALLED, f"{suppressed:,} of the new people are on the do-not-call list and never called."
        )


def _remark(code: str, sentence: str) -> RowProblem:
    return RowProblem(1, "", code, sentence, rejected=False)
