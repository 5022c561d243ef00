"""The field for the country of numbers that are written without a prefix."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from outreach.domain.zones import is_country


class AsksForCountry(forms.Form):
    """A form with a field `default_country`, which a subclass declares; empty where that is allowed."""

    def clean_default_country(self) -> str:
        """Return the ISO code in capitals."""
        country = str(self.cleaned_data["default_country"]).strip().upper()
        if country and not is_country(country):
            raise ValidationError("Give a country's ISO code, such as US or GB.")
        return country
