"""What goes out by itself: webhooks to other programs, notices to operators. Rows are their queues."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call
from outreach.models.campaign import Campaign


class HookEvent(models.TextChoices):
    CALL_FINISHED = "call.finished", _("A call is finished")
    INTERESTED = "person.interested", _("Somebody is interested")
    CALLBACK_AGREED = "callback.agreed", _("A callback was agreed")
    OPT_OUT = "person.opt_out", _("Somebody asked never to be called")


class HookEndpoint(models.Model):
    """An address of another program that is told of events, signed with its own secret."""

    url = models.URLField(max_length=300)
    secret = models.CharField(max_length=80, editable=False)
    events = ArrayField(models.CharField(max_length=24, choices=HookEvent.choices))
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("outgoing webhook")

    def __str__(self) -> str:
        return f"outgoing webhook {self.pk}"


class DeliveryState(models.TextChoices):
    DUE = "due", _("To be sent")
    SENT = "sent", _("Sent")
    GIVEN_UP = "given_up", _("Given up")


class HookDelivery(models.Model):
    """One event for one endpoint, tried again later each time until it is taken."""

    endpoint = models.ForeignKey(HookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    event = models.CharField(max_length=24, choices=HookEvent.choices)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries")
    payload = models.JSONField(
        default=dict,
        db_default={},
        help_text=_("Ids and outcome as they were then; sent again as they are."),
    )
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.DUE.value)
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(
        max_length=300, blank=True, help_text=_("Status of the last answer, or what failed.")
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("hook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="delivery_once_per_endpoint"),
            models.CheckConstraint(
                name="delivery_due_iff_to_be_sent",
                condition=Q(state="due", due_at__isnull=False) | (~Q(state="due") & Q(due_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="delivery_due", fields=["due_at"], condition=Q(state="due")),
            BrinIndex(name="delivery_by_time", fields=["created_at"]),  # to forget them: made in this order
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}"


class Notice(models.Model):
    """Something that operators were told, once per matter until it is over."""

    code = models.CharField(max_length=40)
    matter = models.CharField(max_length=80, blank=True, help_text=_("What it is about: campaign:7, …"))
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    sentence = models.CharField(max_length=500)
    raised_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "matter"], condition=Q(over_at__isnull=True), name="notice_once_per_matter"
            )
        ]
        indexes = [
            models.Index(name="notice_unsent", fields=["raised_at"], condition=Q(sent_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.matter}"
