"""Who looked at what, what a user prefers, and the keys of programs that read."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class Preference(models.Model):
    """What one user prefers."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    time_zone = models.CharField(max_length=64, default="UTC", help_text=_("IANA name, e.g. Europe/Madrid."))

    def __str__(self) -> str:
        return f"preference of {self.user_id}"


class AccessKind(models.TextChoices):
    TRANSCRIPT = "transcript", _("Read a transcript")
    EXPORT = "export", _("Exported")
    API = "api", _("Read by the API")


class Access(models.Model):
    """One look at what people said, or one export of their data. Never changed, never by name or number."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="accesses")
    kind = models.CharField(max_length=10, choices=AccessKind.choices)
    what = models.CharField(max_length=200, help_text=_("Ids and filters only."))
    n_rows = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("accesses")
        indexes = [BrinIndex(name="access_by_time", fields=["at"])]
        permissions = [("export_people", "Can export people, calls and suppressions")]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class ApiToken(models.Model):
    """A program's key to the JSON API; only its digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("API token")

    def __str__(self) -> str:
        return self.name
