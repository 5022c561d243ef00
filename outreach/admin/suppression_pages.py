"""The two pages of the list of numbers that are never called: taking numbers in, and writing them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from outreach.admin.country_field import AsksForCountry
from outreach.admin.downloads import download
from outreach.domain.number_list import ListedNumber, NumberList, UnusableList, decode, read_numbers
from outreach.models import AccessKind, Suppression, SuppressionSource
from outreach.services.accesses import note_access
from outreach.services.suppressing import suppress_all
from outreach.services.suppression_lists import ListTaken, take_list, written_out

MAX_BYTES = 5 * 1024 * 1024
BAD_SHOWN = 200
WRITTEN_AT_ONCE = 2_000


class NumbersForm(AsksForCountry):
    """Numbers, pasted or in a file, and how it is known that they must not be called."""

    pasted = forms.CharField(
        label="Numbers, one per line",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "placeholder": "+1 202 555 0123"}),
        help_text="In any spelling; more columns may stand beside them, and one called “reason” is kept.",
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    default_country = forms.CharField(
        label="Country of numbers without +…",
        max_length=2,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "e.g. US"}),
        help_text="Its ISO code. Empty: a number without its country code is refused.",
    )
    proof = forms.CharField(
        label="Why they must not be called, and where that is written",
        max_length=150,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": "e.g. national do-not-call list of May 2026"}
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file: UploadedFile | None = cleaned.get("file")
        pasted = str(cleaned.get("pasted", ""))
        if file is not None and pasted.strip():
            raise ValidationError("Paste numbers or choose a file, not both.")
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise ValidationError("The file is larger than 5 MB. Split it into several files.")
        if "default_country" in cleaned:
            text = pasted if file is None else self._text_of(file)
            try:
                cleaned["numbers"] = read_numbers(text, default_country=cleaned["default_country"])
            except UnusableList as problem:
                raise ValidationError(str(problem)) from problem
        return cleaned

    def _text_of(self, file: UploadedFile) -> str:
        try:
            return decode(file.read())
        except UnusableList as problem:
            raise ValidationError(str(problem)) from problem


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the page says after numbers were taken in."""

    taken: ListTaken
    read: NumberList

    @property
    def bad_shown(self) -> list[Any]:
        """The first of the lines that could not be used."""
        return list(self.read.bad[:BAD_SHOWN])


def add_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the form, or take numbers in and say what became of each line; what is bad stays in the form."""
    form = NumbersForm(request.POST or None, request.FILES or None)
    result = None
    if request.method == "POST" and form.is_valid():
        read: NumberList = form.cleaned_data["numbers"]
        taken = _take(read.numbers, proof=form.cleaned_data["proof"], by=request.user.get_username())
        result = Result(taken=taken, read=read)
        given = {name: form.cleaned_data[name] for name in ("default_country", "proof")}
        form = NumbersForm(initial={**given, "pasted": "\n".join(bad.cell for bad in result.bad_shown)})
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media["css"] + form.media,
        "title": "Numbers that are never called",
        "form": form,
        "result": result,
    }
    return TemplateResponse(request, "outreach/suppression_add.html", context)


def _take(numbers: Any, *, proof: str, by: str) -> ListTaken:
    """Suppress the numbers; one alone is an operator's own word, more are a list's."""
    if len(numbers) != 1:
        return take_list(numbers=numbers, proof=proof, by=by)
    one: ListedNumber = numbers[0]
    done = suppress_all(reasons={one.number: proof}, source=SuppressionSource.OPERATOR, by=by)
    return ListTaken(new=done.new, known=1 - done.new, people=done.people)


def export_page(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Ask before the list is written out, then send it and write down who took it."""
    rows = Suppression.objects.order_by("pk")
    if request.method == "POST":
        note_access(user=request.user, kind=AccessKind.EXPORT, what="suppressions", n_rows=rows.count())
        chunks = written_out(rows.iterator(chunk_size=WRITTEN_AT_ONCE))
        return download(request, chunks, file_name="never-call.csv", content_type="text/csv")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media["css"],
        "title": "Export numbers that are never called",
        "n": rows.count(),
    }
    return TemplateResponse(request, "outreach/suppression_export.html", context)
