"""How many calls at once the models carry: as an operator set it, else as doctor last found it."""

from __future__ import annotations

import logging

from django.conf import settings

from outreach.models import DialingControl
from outreach.services import clock

logger = logging.getLogger(__name__)


def model_budget(control: DialingControl) -> int | None:
    """Return how many calls at once the models carry; None when nobody has found out.

    MODEL_BUDGET goes before what doctor found; a found 0 lets no campaign call.
    """
    return settings.MODEL_BUDGET or control.model_budget


def keep_budget(calls: int | None) -> None:
    """Keep what doctor found; None: no limit is known."""
    DialingControl.objects.filter(pk=1).update(
        model_budget=calls, model_budget_at=None if calls is None else clock.now()
    )
    logger.info("model budget kept", extra={"calls": calls})
