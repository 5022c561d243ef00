"""Script versions: the files that ship seed the first one, later ones are made by operators."""

from __future__ import annotations

from pathlib import Path

from django.db.models import Max

from outreach.domain.script import parse_script
from outreach.models import ScriptVersion
from outreach.services import clock

SEED = Path(__file__).resolve().parents[2] / "agentworker" / "prompts" / "onboarding.md"


def seed_script() -> ScriptVersion:
    """Return the newest version of the script that ships, created from its file the first time."""
    newest = ScriptVersion.objects.filter(name="onboarding").order_by("-version").first()
    return newest or new_version(name="onboarding", body=SEED.read_text(encoding="utf-8"), by="")


def new_version(*, name: str, body: str, by: str) -> ScriptVersion:
    """Create the next version of a script and return it; earlier ones stay as calls used them.

    :raises InvalidScript: when the text cannot be read as a script.
    """
    parse_script(body)
    last = ScriptVersion.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
    return ScriptVersion.objects.create(
        name=name, version=last + 1, body=body, created_at=clock.now(), created_by=by
    )
