"""What a call will cost before any was made: a usual talk by the table of rates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from outreach.domain.cost import Measured, ModelUse, cost_of, quantities
from outreach.models import Campaign, Facilitator
from outreach.services.costs import current_prices

#: A usual talk, in seconds, and what its models are given: each turn sends the whole talk again.
TALK_SECONDS = 90.0
RINGS_SECONDS = 35.0
INPUT_TOKENS, OUTPUT_TOKENS, SPOKEN_CHARACTERS = 30_000, 900, 1_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one call costs on average, answered or not."""

    per_call: Decimal
    currency: str


def estimate(campaign: Campaign, *, answer_rate: float) -> Estimate | None:
    """Return what a call of this campaign will cost by the rates; None where they do not say.

    The price of a call depends on where it goes: one person's number stands for all.

    :param answer_rate: of the calls, how many a person answers.
    """
    numbers = Facilitator.objects.filter(campaign=campaign).order_by("pk").values_list("number", flat=True)
    number = numbers.first()
    if number is None:
        return None
    prices = current_prices()
    models = [
        ModelUse(model=settings.ALEX_LLM, input_tokens=INPUT_TOKENS, output_tokens=OUTPUT_TOKENS),
        ModelUse(model=settings.ALEX_STT, audio_seconds=TALK_SECONDS),
        ModelUse(model=settings.ALEX_TTS, characters=SPOKEN_CHARACTERS),
    ]
    talk = Measured(
        number=number, line_seconds=TALK_SECONDS, agent_seconds=TALK_SECONDS + RINGS_SECONDS, models=models
    )
    rings = Measured(number=number, line_seconds=0, agent_seconds=RINGS_SECONDS)
    answered, unanswered = (cost_of(quantities(one), prices=prices) for one in (talk, rings))
    if not answered.total or not answered.currency:
        return None
    share = Decimal(str(answer_rate))
    mean = answered.total * share + (unanswered.total or Decimal(0)) * (1 - share)
    return Estimate(per_call=mean, currency=answered.currency)
