"""Uploading a list of people: a page of its own, since unfold's dialogs take no files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from outreach.domain.zones import is_country
from outreach.models import Campaign, ConsentBasis
from outreach.services.importing import ImportOptions, KnownPeople, import_file

MAX_BYTES = 100 * 1024 * 1024

_KNOWN = (
    (KnownPeople.SKIP.value, "Leave them as they are"),
    (KnownPeople.FILL.value, "Fill what is empty"),
    (KnownPeople.UPDATE.value, "Overwrite with what the list says"),
)


class UploadForm(forms.Form):
    """A file, and what the operator decides about it."""

    campaign = forms.ModelChoiceField(
        queryset=Campaign.objects.exclude(state="finished").order_by("name"),
        empty_label="Choose a campaign",
        widget=UnfoldAdminSelectWidget(),
    )
    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text="A name and a phone number per row are enough. Any separator, any encoding.",
    )
    known = forms.ChoiceField(
        label="People who are in the campaign already",
        choices=_KNOWN,
        initial=KnownPeople.SKIP.value,
        widget=UnfoldAdminRadioSelectWidget(),
    )
    default_country = forms.CharField(
        label="Country of numbers without +…",
        max_length=2,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "the campaign's, e.g. US"}),
    )
    consent_basis = forms.ChoiceField(
        label="Why we may call them",
        choices=[("", "The list says so, row by row"), *ConsentBasis.choices],
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="For rows without a basis of their own. People without any are imported, but never called.",
    )
    consent_source = forms.CharField(
        label="Where and when they agreed",
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "e.g. sign-up form, May 2026"}),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError("The file is larger than 100 MB: use `manage.py import_facilitators`.")
        return file

    def clean_default_country(self) -> str:
        country = str(self.cleaned_data["default_country"]).strip().upper()
        if country and not is_country(country):
            raise ValidationError("Give a country's ISO code, such as US or GB.")
        return country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("consent_basis") and not cleaned.get("consent_source", "").strip():
            self.add_error("consent_source", "Say where and when they agreed: a basis without proof is none.")
        return cleaned


def upload_page(model_admin: Any, request: HttpRequest, *, campaign_id: int | None = None) -> HttpResponse:
    """Show the form, or import the file and go to its batch."""
    initial = {"campaign": campaign_id or _only_campaign()}
    form = UploadForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _imported(request, form.cleaned_data)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media + form.media,
        "title": "Upload people",
        "form": form,
        "has_campaigns": form.fields["campaign"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "outreach/upload.html", context)


def _only_campaign() -> int | None:
    """Return the campaign that people can be uploaded to, when there is just one."""
    found = list(Campaign.objects.exclude(state="finished").values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _imported(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    file: UploadedFile = given["file"]
    batch = import_file(
        campaign_id=given["campaign"].pk,
        source=file.file,  # type: ignore[arg-type]
        file_name=PurePath(file.name or "list.csv").name,
        imported_by_id=request.user.pk,
        options=ImportOptions(
            known=KnownPeople(given["known"]),
            consent_basis=given["consent_basis"],
            consent_source=given["consent_source"].strip(),
            default_country=given["default_country"],
        ),
    )
    if batch.state == "refused":
        messages.error(request, f"Nothing was imported: {batch.problem}")
    else:
        messages.success(request, f"{batch.rows_created} people added, {batch.rows_rejected} rows rejected.")
    return HttpResponseRedirect(reverse("admin:outreach_importbatch_change", args=[batch.pk]))
