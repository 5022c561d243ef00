"""Setting up the accounts for calls: what is there, what would be created or changed, and doing it.

Whatever is not ours is left alone: a plan only names the trunk, the rule and the numbers that calls need, and
says of anything else what stands in the way. Planning twice in a row changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from outreach.domain.phone_number import mask
from outreach.integrations.livekit_sip import SipProject
from outreach.integrations.twilio_numbers import NumberBook, NumberRoute
from outreach.models import Campaign, CampaignState
from outreach.services.setup_steps import ByHand, Doing, Plan, Step
from outreach.services.sip_setup import our_rule, our_trunk, remarks_about, rule_step, trunk_step

WEBHOOKS_PAGE = "https://cloud.livekit.io/projects/p_/settings/webhooks"
SELF_HOSTED_WEBHOOKS = "https://docs.livekit.io/home/self-hosting/deployment/"


def make_plan(
    *, sip: SipProject, book: NumberBook, numbers: Collection[str], set_password: bool = False
) -> Plan:
    """Return what is there and what would be done.

    :param numbers: ours that people may call back; `caller_ids` has those of the campaigns.
    :param set_password: whether to write the trunk's password where LiveKit does not show it.
    :raises TelephonyError: when LiveKit or Twilio says no or could not be asked.
    """
    trunks, rules = sip.trunks(), sip.rules()
    trunk, rule = our_trunk(trunks), our_rule(rules, our_trunk(trunks))
    first = trunk_step(trunks, sip, set_password=set_password)
    return Plan(
        steps=(
            first,
            *([] if first.doing is Doing.BLOCKED else [rule_step(trunk, rule, sip)]),
            *(_number_step(route, book) for route in (book.routes(numbers) if numbers else [])),
        ),
        remarks=tuple(remarks_about(trunk, rule, rules)) + (() if numbers else (_NO_NUMBERS,)),
        by_hand=(webhooks_by_hand(),),
    )


def carry_out(plan: Plan) -> None:
    """Do what the plan says, in its order.

    :raises TelephonyError: when LiveKit or Twilio says no or could not be asked; what was done before stays.
    """
    for step in plan.pending:
        step.carry_out()


def caller_ids() -> set[str]:
    """Return the numbers that campaigns call from."""
    lists = Campaign.objects.exclude(state=CampaignState.FINISHED).values_list("caller_ids", flat=True)
    return {number for numbers in lists for number in numbers}


def hook_for_callers() -> str:
    """Return the address that Twilio asks when somebody calls one of our numbers."""
    return f"{settings.PUBLIC_BASE_URL}/hooks/twilio/incoming"


_NO_NUMBERS = (
    "No campaign has a caller ID yet, so the numbers' own address is left alone: run this again when one "
    "has, or name a number with --number."
)


def _number_step(route: NumberRoute, book: NumberBook) -> Step:
    what, hook = f"number {mask(route.number)}", hook_for_callers()
    if not route.voice:
        return Step(what=what, doing=Doing.BLOCKED, says="This number cannot carry calls; use another one.")
    changes = []
    if route.voice_url != hook or route.voice_method != "POST":
        changes.append(f"asks {hook}" + (f" in place of {route.voice_url}" if route.voice_url else ""))
    if route.elsewhere:
        changes.append(f"no longer goes to {route.elsewhere}")
    return Step(
        what=what,
        doing=Doing.CHANGE if changes else Doing.KEEP,
        says="Whoever calls it back does not reach us." if changes else "Whoever calls it back reaches us.",
        changes=tuple(changes),
        carry_out=lambda: book.ask_us(sid=route.sid, url=hook),
    )


def webhooks_by_hand() -> ByHand:
    """Return where LiveKit is told to report to us; no API does it."""
    hook = f"{settings.PUBLIC_BASE_URL}/hooks/livekit"
    if settings.LIVEKIT_URL.split("/")[2].endswith(".livekit.cloud"):
        return ByHand(
            says=f"LiveKit Cloud: Settings, Webhooks, Create new webhook: {hook}, signed with the API key of "
            "LIVEKIT_API_KEY. No API does this.",
            page=WEBHOOKS_PAGE,
        )
    return ByHand(
        says=f"livekit.yaml: `webhook: {{api_key: …, urls: [{hook}]}}`, with the key of LIVEKIT_API_KEY.",
        page=SELF_HOSTED_WEBHOOKS,
    )
