"""What an operator decides about a list: asked when it is uploaded, and again beside what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from outreach.admin.country_field import AsksForCountry
from outreach.models import Campaign, ConsentBasis, ImportBatch
from outreach.services.import_options import ImportOptions, KnownPeople, options_of

_KNOWN = (
    (KnownPeople.SKIP.value, "Leave them as they are"),
    (KnownPeople.FILL.value, "Fill what is empty"),
    (KnownPeople.UPDATE.value, "Overwrite with what the list says"),
)


class ListChoices(AsksForCountry):
    """Where the people go, what happens to those who are there, and why they may be called."""

    campaign = forms.ModelChoiceField(
        queryset=Campaign.objects.exclude(state="finished").order_by("name"),
        empty_label="Choose a campaign",
        widget=UnfoldAdminSelectWidget(),
    )
    known = forms.ChoiceField(
        label="People who are in the campaign already",
        choices=_KNOWN,
        initial=KnownPeople.SKIP.value,
        widget=UnfoldAdminSelectWidget(),
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

    def clean(self) -> dict[str, Any]:
        """Refuse a basis without its proof."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("consent_basis") and not cleaned.get("consent_source", "").strip():
            self.add_error("consent_source", "Say where and when they agreed: a basis without proof is none.")
        return cleaned

    def options(self) -> ImportOptions:
        """Return what was decided, once the form is valid."""
        given = self.cleaned_data
        return ImportOptions(
            known=KnownPeople(given["known"]),
            consent_basis=given["consent_basis"],
            consent_source=given["consent_source"].strip(),
            default_country=given["default_country"],
        )


def choices_for(batch: ImportBatch, *, typed: Mapping[str, Any]) -> ListChoices:
    """Return the form with what holds for an uploaded list; with what was typed where that was refused."""
    if "known" in typed:
        return ListChoices(typed, auto_id="choice-%s")
    decided = options_of(batch.options).stored()
    return ListChoices(initial={**decided, "campaign": batch.campaign_id}, auto_id="choice-%s")
