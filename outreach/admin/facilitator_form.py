"""The form of one person: the number in any spelling, the zone by its name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from outreach.domain.phone_number import InvalidNumber, parse_number
from outreach.domain.zones import UnknownZone, canonical_zone, is_country
from outreach.models import Facilitator, ZoneSource


class FacilitatorForm(forms.ModelForm):
    """A person, checked as an import checks them."""

    _zone_from_number = False

    class Meta:
        model = Facilitator
        fields = (
            "campaign", "name", "number", "email", "organisation", "language", "country", "time_zone",
            "priority", "consent_basis", "consent_source", "extra",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "number" in self.fields:
            # Other spellings are longer than E.164; `clean` brings them into it.
            self.fields["number"] = forms.CharField(
                max_length=40,
                widget=UnfoldAdminTextInputWidget(),
                help_text="In any spelling; without +… it is read as one of the campaign's country.",
            )

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"]).strip()
        if not name:
            return ""
        try:
            return canonical_zone(name)
        except UnknownZone as exc:
            raise ValidationError(str(exc)) from exc

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).strip().upper()
        if country and not is_country(country):
            raise ValidationError(f"{country} is no country: give an ISO 3166 code such as US.")
        return country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "number" in cleaned and cleaned.get("campaign"):
            self._read_number(cleaned)
        if "time_zone" in self.changed_data or self.instance.pk is None:
            self.instance.zone_source = self._zone_source(cleaned)
        return cleaned

    def derived_fields(self) -> list[str]:
        """Return the columns that this form sets beside its own fields."""
        return ["zone_source"] if "time_zone" in self.changed_data else []

    def _read_number(self, cleaned: dict[str, Any]) -> None:
        try:
            number = parse_number(cleaned["number"], default_country=cleaned["campaign"].default_country)
        except InvalidNumber as exc:
            self.add_error("number", str(exc))
            return
        cleaned["number"] = number.e164
        cleaned["country"] = cleaned.get("country") or number.country
        if not cleaned.get("time_zone") and len(number.zones) == 1:
            cleaned["time_zone"] = number.zones[0]
            self._zone_from_number = True

    def _zone_source(self, cleaned: dict[str, Any]) -> str:
        if cleaned.get("time_zone"):
            return (ZoneSource.NUMBER if self._zone_from_number else ZoneSource.GIVEN).value
        return ZoneSource.COUNTRY.value if cleaned.get("country") else ZoneSource.UNKNOWN.value
