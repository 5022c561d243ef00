"""What keeps imports from being half: those whose process died are begun anew, old files are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from outreach.domain import defaults
from outreach.models import ImportBatch, ImportRow, ImportState, SourceRow
from outreach.services import clock, import_files

#: Nobody has shown to be at work for so long: the process died, or its message was lost. An import that is
#: only slow is safe all the same, since its lock is held.
SILENT = timedelta(seconds=30)
#: Days that an uploaded file is kept after it was imported or refused; the same for one nobody confirmed.
FILE_DAYS = 7
#: Rows as they stood in a file, refused ones among them, are kept as long as what was said in calls.
ROW_DAYS = defaults.TRANSCRIPT_DAYS
_ROWS_A_TICK = 5_000
NOT_CONFIRMED = f"Nobody confirmed this upload within {FILE_DAYS} days: upload the file again."
_AT_ONCE = 100


class ToDo(NamedTuple):
    """The batches to be imported, and those to be looked at."""

    imports: list[int]
    looks: list[int]


def tend() -> ToDo:
    """Return what has nobody at work; the caller enqueues it. Forget files that are old."""
    now = clock.now()
    silent = ImportBatch.objects.filter(~Q(path=""), worked_at__lt=now - SILENT)
    todo = ToDo(
        imports=_ids(silent.filter(state=ImportState.IMPORTING)),
        looks=_ids(silent.filter(state=ImportState.UPLOADED, rows_in_file__isnull=True)),
    )
    old = now - timedelta(days=FILE_DAYS)
    ImportBatch.objects.filter(state=ImportState.UPLOADED, created_at__lt=old).update(
        state=ImportState.REFUSED, problem=NOT_CONFIRMED, finished_at=now
    )
    over = ImportBatch.objects.filter(~Q(path=""), finished_at__lt=old).values_list("pk", "path")
    for pk, path in over[:_AT_ONCE]:
        import_files.forget(path)
        ImportBatch.objects.filter(pk=pk).update(path="")
    _forget_rows(before=now - timedelta(days=ROW_DAYS))
    return todo


def _forget_rows(*, before: datetime) -> None:
    """Delete some rows of the oldest lists; the counts of each import stay."""
    for table in (SourceRow, ImportRow):
        of_list = table.objects.filter(batch=OuterRef("pk"))
        old = ImportBatch.objects.filter(Exists(of_list), created_at__lt=before).order_by("pk").first()
        if old is not None:
            some = table.objects.filter(batch=old).values_list("pk", flat=True)[:_ROWS_A_TICK]
            table.objects.filter(pk__in=list(some)).delete()


def _ids(batches: QuerySet[ImportBatch]) -> list[int]:
    return list(batches.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
