"""What vendors charge, as far as we were told: an operator's to edit, since every account differs."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.decorators import display

from outreach.admin.base import DeskAdmin
from outreach.desk.rendering import DASH
from outreach.models import Rate


class RateForm(forms.ModelForm):
    """One price of a vendor."""

    class Meta:
        model = Rate
        fields = ("item", "prefix", "price", "currency", "source")

    def clean_prefix(self) -> str:
        """Return the prefix without the blanks that numbers are often written with."""
        return "".join(str(self.cleaned_data["prefix"]).split())

    def clean_currency(self) -> str:
        """Return the currency in capitals; one that is written in two ways would be two currencies."""
        currency = str(self.cleaned_data["currency"]).strip().upper()
        if len(currency) != 3 or not currency.isalpha():
            raise ValidationError("Write the currency as three letters, such as USD.")
        return currency


@admin.register(Rate)
class RateAdmin(DeskAdmin):
    """The table from which calls' costs are estimated; a change counts for calls from then on."""

    form = RateForm
    list_display = ("item", "for_what", "price", "currency", "source")
    list_filter = ("item",)
    search_fields = ("prefix__startswith",)
    search_help_text = "Start of a number or of a model's name"
    ordering = ("item", "prefix")

    @display(description="For", ordering="prefix")
    def for_what(self, rate: Rate) -> str:
        """Return what the price is for."""
        return rate.prefix or f"{DASH} all others"
