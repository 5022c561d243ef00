"""The people we call, one row per person and campaign; the rows are the queue."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Concat, Lower, Replace
from django.utils.translation import gettext_lazy as _

from outreach.domain import defaults
from outreach.domain.standing import CALLABLE, Standing
from outreach.models.campaign import Campaign
from outreach.models.history import EditHistory

#: What people type without the accent that a list has; one letter for one, as `translate` wants it.
#: Capitals too: a database in the C locale knows no small letter for them.
ACCENTED = (
    "àáâãäåāăąçćčďèéêëēęěìíîïīłñńňòóôõöøōőŕřśšșťțùúûüūůűýÿźżž"
    "ÀÁÂÃÄÅĀĂĄÇĆČĎÈÉÊËĒĘĚÌÍÎÏĪŁÑŃŇÒÓÔÕÖØŌŐŔŘŚŠȘŤȚÙÚÛÜŪŮŰÝŹŻŽ"
)
PLAIN = (
    "aaaaaaaaacccdeeeeeeeiiiiilnnnoooooooorrsssttuuuuuuuyyzzz"
    "aaaaaaaaacccdeeeeeeeiiiiilnnnoooooooorrsssttuuuuuuuyzzz"
)


def without_accents(text: Any) -> Func:
    """Return the SQL for a text in small letters without accents; immutable, so that it can be stored."""
    return Func(
        Lower(text), Value(ACCENTED), Value(PLAIN), function="translate", output_field=models.TextField()
    )


STANDINGS = [(s.value, s.value.replace("_", " ").capitalize()) for s in Standing]
_CALLABLE = sorted(s.value for s in CALLABLE)  # plain strings: migrations must not import the domain


class ConsentBasis(models.TextChoices):
    """Why we may call. Missing means imported, but not callable."""

    EXPRESS_WRITTEN = "express_written", _("Express written consent")
    EXPRESS = "express", _("Express consent")
    INQUIRY = "inquiry", _("They asked us")
    RELATIONSHIP = "relationship", _("Existing relationship")


class ZoneSource(models.TextChoices):
    GIVEN = "given", _("Given in the list")
    NUMBER = "number", _("From the number")
    COUNTRY = "country", _("All zones of the country")
    UNKNOWN = "unknown", _("Unknown")


class Facilitator(models.Model):
    """One person in one campaign. `next_call_at` is set exactly while the standing is callable."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, db_index=False, related_name="facilitators"
    )
    name = models.CharField(max_length=200)
    number = models.CharField(max_length=16, help_text=_("E.164, e.g. +14155550100."))
    email = models.EmailField(blank=True)
    organisation = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, default="en")
    country = models.CharField(max_length=2, blank=True, help_text=_("ISO 3166; empty: unknown, so held."))
    time_zone = models.CharField(
        max_length=64, blank=True, help_text=_("IANA name; empty: the zones of the country are intersected.")
    )
    zone_source = models.CharField(max_length=8, choices=ZoneSource.choices, default=ZoneSource.UNKNOWN.value)
    priority = models.SmallIntegerField(
        default=defaults.PRIORITY,
        help_text=_("1 is called first, 9 last."),
        validators=[MinValueValidator(1), MaxValueValidator(9)],
    )
    consent_basis = models.CharField(max_length=20, blank=True, choices=ConsentBasis.choices)
    consent_source = models.CharField(max_length=300, blank=True, help_text=_("Where and when they agreed."))
    extra = models.JSONField(default=dict, blank=True, help_text=_("Free fields that the script may use."))
    import_batch = models.ForeignKey(
        "outreach.ImportBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="facilitators",
    )

    searched = models.GeneratedField(
        expression=SearchVector(
            without_accents(
                Concat(
                    "name",
                    Value(" "),
                    "organisation",
                    Value(" "),
                    Replace("email", Value("@"), Value(" ")),
                    output_field=models.TextField(),
                )
            ),
            config="simple",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    standing = models.CharField(max_length=14, choices=STANDINGS, default=Standing.NEW.value)
    standing_reason = models.CharField(max_length=300, blank=True)
    next_call_at = models.DateTimeField(null=True, blank=True)
    attempts_made = models.PositiveSmallIntegerField(default=0, help_text=_("Attempts that count."))
    attempts_granted = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("Attempts that operators allowed beyond the campaign's.")
    )
    our_faults = models.PositiveSmallIntegerField(
        default=0, help_text=_("Calls that failed by our own fault, in a row.")
    )
    callbacks_unkept = models.PositiveSmallIntegerField(
        default=0, help_text=_("Promised callbacks in a row at which we did not reach them.")
    )
    voicemail_left = models.BooleanField(default=False)
    wish = models.CharField(
        max_length=14,
        blank=True,
        help_text=_("A standing that settle gives when the call in progress is over."),
    )
    not_called_code = models.CharField(
        max_length=40, blank=True, help_text=_("The last decision's code; empty: nothing stands in the way.")
    )
    not_called_reason = models.CharField(max_length=300, blank=True)
    last_disposition = models.CharField(
        max_length=20,
        blank=True,
        db_default="",
        help_text=_("Of the last call, as the statistics took it in."),
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    history = EditHistory(excluded_fields=["searched", "last_disposition"])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="facilitator_once_per_campaign"),
            models.CheckConstraint(
                name="facilitator_priority_1_to_9", condition=Q(priority__gte=1, priority__lte=9)
            ),
            models.CheckConstraint(
                name="facilitator_due_iff_callable",
                condition=Q(standing__in=_CALLABLE, next_call_at__isnull=False)
                | (~Q(standing__in=_CALLABLE) & Q(next_call_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="facilitator_held_has_reason",
                condition=~Q(standing__in=["held", "needs_review"]) | ~Q(standing_reason=""),
            ),
            models.CheckConstraint(
                name="facilitator_number_is_e164", condition=Q(number__regex=r"^\+[1-9][0-9]{5,14}$")
            ),
        ]
        indexes = [
            models.Index(
                name="facilitator_due_new",
                fields=["campaign", "priority", "next_call_at", "id"],
                condition=Q(standing__in=["new", "waiting"]),
            ),
            models.Index(
                name="facilitator_due_retry",
                fields=["campaign", "priority", "next_call_at", "id"],
                condition=Q(standing="retry_due"),
            ),
            models.Index(
                name="facilitator_due_callback",
                fields=["campaign", "next_call_at", "id"],
                condition=Q(standing="callback_due"),
            ),
            models.Index(
                name="facilitator_number_prefix", fields=["number"], opclasses=["varchar_pattern_ops"]
            ),
            GinIndex(name="facilitator_by_words", fields=["searched"], fastupdate=False),
            # By whom a list of millions is narrowed; the id last, so that the newest come without sorting.
            models.Index(name="facilitator_by_batch", fields=["import_batch", "id"]),
            models.Index(name="facilitator_by_campaign", fields=["campaign", "id"]),
            models.Index(name="facilitator_by_standing", fields=["campaign", "standing", "id"]),
            models.Index(
                name="facilitator_by_refusal",
                fields=["not_called_code", "id"],
                condition=~Q(not_called_code=""),
            ),
            models.Index(
                name="facilitator_by_outcome",
                fields=["last_disposition", "id"],
                condition=~Q(last_disposition=""),
            ),
            models.Index(name="facilitator_by_place", fields=["country", "time_zone"]),
            models.Index(name="facilitator_by_effort", fields=["priority", "attempts_made"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def attempts_allowed(self) -> int:
        """How often this person may be tried in all; the campaign must have been read along."""
        return self.campaign.max_attempts + self.attempts_granted
