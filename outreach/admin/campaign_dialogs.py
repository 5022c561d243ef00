"""What is asked before a campaign is started, paused, finished, tried again, or heard on one's own phone."""

# unfold dictates a signature with arguments that not every form needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from outreach.admin.dialogs import ReasonForm
from outreach.desk.preflight import preflight_of, ways_out
from outreach.models import Campaign
from outreach.services.finishing import promised_in
from outreach.services.own_phone import may_type_a_number, own_phones
from outreach.services.preflight_items import Level
from outreach.services.redialing import MOST_ATTEMPTS, OUTCOMES, tried_in_vain
from outreach.services.sample_call import PERSON

#: Promises that a question names.
NAMED = 6


def may_override(request: HttpRequest) -> bool:
    """Tell whether somebody answers for the machine, and may so start a campaign in spite of what is red."""
    return request.user.has_perm("outreach.change_dialingcontrol")


class StartForm(BaseDialogForm):
    """Yes, seeing what stands in the way."""

    form_before_template = "outreach/campaign_dialog/start.html"
    overrides = forms.BooleanField(
        required=False,
        label="Start in spite of what is red",
        help_text="You answer for it. What the law asks for cannot be overridden.",
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer to override only what may be, to those who may."""
        super().__init__(*args, **kwargs)
        self.campaign = Campaign.objects.select_related("script").filter(pk=self.object_id).first()
        shows = self.campaign is not None and not self.is_bound
        self.found = preflight_of(self.campaign) if self.campaign and shows else None
        asked = self.is_bound or (self.found is not None and self.found.red and not self.found.final)
        self.may_start = not (self.found and self.found.red) or (asked and may_override(self.request))
        if not asked or not may_override(self.request):
            del self.fields["overrides"]

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        if self.found is None or self.campaign is None:
            return {}
        told = [item for item in self.found.items if item.level is not Level.OK]
        told.sort(key=lambda item: item.level is Level.WARN)
        items = ways_out(told, self.campaign, request.user)
        return {"found": self.found, "items": items, "may_start": self.may_start}


class PauseForm(ReasonForm):
    """Yes, and why, seeing whose promises are endangered."""

    form_before_template = "outreach/campaign_dialog/promises.html"

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        return _promises(object_id, "While it is paused, these promises are not kept:")


class FinishForm(BaseDialogForm):
    """Yes, and whether promises are kept."""

    form_before_template = "outreach/campaign_dialog/promises.html"
    keep_callbacks = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask with the number of promises."""
        super().__init__(*args, **kwargs)
        n = promised_in(int(self.object_id or 0)).count()
        field = self.fields["keep_callbacks"]
        field.label = f"Keep {n} promised callback{'' if n == 1 else 's'}"
        field.help_text = "If not, they are canceled, and the people are held for you to see to."

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        return _promises(object_id, "Alex has promised to call:")


def _promises(campaign_id: int | str | None, says: str) -> dict[str, Any]:
    promised = promised_in(int(campaign_id or 0)).select_related("facilitator")
    return {"promises": promised[:NAMED], "n_promises": promised.count(), "says": says}


class RedialForm(BaseDialogForm):
    """Whom to try again, and how often."""

    outcomes = forms.MultipleChoiceField(
        label="Whose last call ended so", widget=forms.CheckboxSelectMultiple(), choices=()
    )
    n_attempts = forms.IntegerField(
        label="More attempts",
        min_value=1,
        max_value=MOST_ATTEMPTS,
        initial=1,
        help_text="The caps by day and month hold all the same.",
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": MOST_ATTEMPTS}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the endings that there are, with how many people have them."""
        super().__init__(*args, **kwargs)
        tried = tried_in_vain(Campaign.objects.get(pk=self.object_id))
        field: Any = self.fields["outcomes"]
        field.choices = [(one.outcome, f"{OUTCOMES[one.outcome]}: {one.n_people}") for one in tried]
        barred = sum(one.n_suppressed + one.n_said_no for one in tried)
        field.help_text = f"{barred} more said no or must never be called." if barred else ""
        if not tried:
            field.help_text = "Nobody of this campaign was tried as often as allowed."


class CallMeForm(BaseDialogForm):
    """One's own phone, and whose row Alex is told."""

    number = forms.CharField(label="Your phone", max_length=30)
    row = forms.CharField(
        label="As whom",
        max_length=200,
        required=False,
        help_text=f"A name or number of the list; left empty: {PERSON}, who is invented.",
        widget=UnfoldAdminTextInputWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the operators' own numbers; in a rehearsal, where every phone is emulated, any."""
        super().__init__(*args, **kwargs)
        mine, field = own_phones(), self.fields["number"]
        if may_type_a_number():
            field.widget = UnfoldAdminTextInputWidget()
            field.initial = mine[0] if mine else "+12025550103"
            field.help_text = "In a rehearsal an emulated phone rings: read the talk on the call's page."
            return
        field.widget = UnfoldAdminSelectWidget(choices=[(number, number) for number in mine])
        field.help_text = (
            "The numbers in TEST_NUMBERS, which whoever runs this machine has vouched for."
            if mine
            else "TEST_NUMBERS is empty: put your own number there, and start again."
        )
