"""Uploading a list of people: a page of its own, since unfold's dialogs take no files."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import Any, BinaryIO

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from kombu.exceptions import OperationalError
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from outreach import tasks
from outreach.admin.list_choices import ListChoices
from outreach.models import Campaign, ImportBatch, ImportState
from outreach.services.import_checking import check_import, receive_upload
from outreach.services.import_options import ImportOptions

MAX_BYTES = 100 * 1024 * 1024
LOOKED_AT_ONCE = 512 * 1024
"""Bytes of a list that is looked at while the browser waits; a longer one is left to a task."""


class UploadForm(ListChoices):
    """A list, and what the operator decides about it."""

    field_order = ("campaign", "file", "pasted")

    file = forms.FileField(
        label="CSV file",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text="A name and a phone number per row are enough. Any separator, any encoding.",
    )
    pasted = forms.CharField(
        label="or paste the rows here",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 4, "placeholder": "Name, Phone\nAna Ruiz, +1 212 555 0100"}
        ),
        help_text="Copied out of a spreadsheet, for example. Up to 2 MB; longer lists as a file.",
    )

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise ValidationError("The file is larger than 100 MB: use `manage.py import_facilitators`.")
        return file

    def clean(self) -> dict[str, Any]:
        """Want a file or pasted rows, and a file again when something else has to be mended."""
        cleaned = super().clean()
        given = bool(cleaned.get("file")), bool(cleaned.get("pasted", "").strip())
        if "file" in cleaned and given == (False, False):
            self.add_error("file", "Choose a file, or paste the rows below.")
        elif given == (True, True):
            self.add_error("pasted", "There are a file and pasted rows: upload one after the other.")
        elif given[0] and self.errors:
            self.add_error(
                "file", "Choose the file once more: the browser forgets it when a form comes back."
            )
        return cleaned


def upload_page(model_admin: Any, request: HttpRequest, *, campaign_id: int | None = None) -> HttpResponse:
    """Show the form, or keep the list and go to its page, where it is looked at before it is imported."""
    initial = {"campaign": campaign_id or _only_campaign()}
    form = UploadForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        batch = _received(request, form.cleaned_data, form.options())
        return HttpResponseRedirect(reverse("admin:outreach_importbatch_change", args=[batch.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media + form.media,
        "title": "Upload people",
        "form": form,
        "has_campaigns": form.fields["campaign"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "outreach/upload.html", context)


def look_later(batch_id: int) -> None:
    """Have a task look at a list; where no broker answers, the tick finds it half a minute later."""
    try:
        tasks.check_import.apply_async(kwargs={"batch_id": batch_id}, retry=False)
    except OperationalError:
        return


def _only_campaign() -> int | None:
    """Return the campaign that people can be uploaded to, when there is just one."""
    found = list(Campaign.objects.exclude(state="finished").values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _received(request: HttpRequest, given: dict[str, Any], options: ImportOptions) -> ImportBatch:
    source, name, size = _list_of(given)
    batch = receive_upload(
        campaign_id=given["campaign"].pk,
        source=source,
        file_name=name,
        uploaded_by_id=request.user.pk,
        options=options,
    )
    if batch.state == ImportState.UPLOADED:
        if size <= LOOKED_AT_ONCE:
            check_import(batch_id=batch.pk)
        else:
            look_later(batch.pk)
    return batch


def _list_of(given: dict[str, Any]) -> tuple[BinaryIO, str, int]:
    """Return the list's bytes, the name it goes by, and its size."""
    file: UploadedFile | None = given["file"]
    if file is None:
        rows = given["pasted"].encode()
        return io.BytesIO(rows), "pasted rows", len(rows)
    return file.file, PurePath(file.name or "list.csv").name, file.size or 0  # type: ignore[return-value]
