"""Taking people out as a file: asked first, streamed, and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from unfold.decorators import action

from outreach.admin.dialogs import confirm_many
from outreach.admin.downloads import download
from outreach.models import AccessKind, Facilitator
from outreach.services import exporting
from outreach.services.accesses import note_access

People = QuerySet[Facilitator]
Answer = HttpResponse | StreamingHttpResponse | None

MOST_EXPORTED = 10_000_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportActions:
    """Actions of the list of people that give its rows away."""

    actions: tuple[str, ...] = ("export_csv", "export_xlsx")

    @action(description="Export as CSV", permissions=["export"])
    def export_csv(self, request: HttpRequest, people: People) -> Answer:
        if not isinstance(given := self._ask_to_export(request, people), dict):
            return given
        return _export(
            request, people, exporting.as_csv, ending="csv", content_type="text/csv; charset=utf-8"
        )

    @action(description="Export for Excel (XLSX)", permissions=["export"])
    def export_xlsx(self, request: HttpRequest, people: People) -> Answer:
        if not isinstance(given := self._ask_to_export(request, people), dict):
            return given
        return _export(request, people, exporting.as_xlsx, ending="xlsx", content_type=_XLSX)

    def _ask_to_export(self, request: HttpRequest, people: People) -> dict[str, Any] | HttpResponse | None:
        return confirm_many(
            self, request, people, title="Export these people?", submit="Download", most=MOST_EXPORTED,
            says="Their names, numbers and standing leave this desk; that you took them is written down.",
        )  # fmt: skip


def _export(
    request: HttpRequest,
    people: People,
    written: Callable[[People], Iterator[bytes]],
    *,
    ending: str,
    content_type: str,
) -> StreamingHttpResponse:
    """Send the file, after writing down who takes it and which people: filters and ids, never a name."""
    note_access(
        user=request.user,
        kind=AccessKind.EXPORT,
        what=f"people as {ending}: {_which(request)}",
        n_rows=people.order_by().count(),
    )
    return download(request, written(people), file_name=f"people.{ending}", content_type=content_type)


def _which(request: HttpRequest) -> str:
    """Return which people are selected, without what was typed into the search: that may be a name."""
    if request.POST.get("select_across") != "1":
        return f"ids {_runs(int(pk) for pk in request.POST.getlist('_selected_action') if pk.isdecimal())}"
    filters = [f"{key}={value}" for key, value in request.GET.items() if key not in ("q", "p", "o") and value]
    return " ".join([*filters, *(["searched"] if request.GET.get("q") else [])]) or "everybody"


def _runs(ids: Iterable[int]) -> str:
    """Return ids as runs, "3–50 61": a page's worth of them fits into what is written down."""
    runs: list[tuple[int, int]] = []
    for pk in sorted(set(ids)):
        if runs and pk == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], pk)
        else:
            runs.append((pk, pk))
    return " ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)
