"""When the models fail in a call: what that means for the next ones; the call itself is settled as our fault.

One refusal that stays so holds every campaign until somebody has seen to it; failures in a row hold the
campaign for a while. Nobody's attempt is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from outreach.domain.disposition import EndedBy
from outreach.domain.model_budget import Role
from outreach.models import Call, Campaign, CampaignState
from outreach.services import campaigns

logger = logging.getLogger(__name__)

#: What failed when a conversation ended so.
ROLE_OF_END: dict[EndedBy, Role] = {
    EndedBy.LLM_FAILURE: Role.CHAT,
    EndedBy.STT_FAILURE: Role.HEARING,
    EndedBy.TTS_FAILURE: Role.SPEECH,
}
#: Conversations in a row that the models let down, and for how long their campaign is then held.
STREAK_HOLDS = 3
HELD_FOR = timedelta(minutes=5)


def judge(*, call_id: UUID, why_refused: Callable[[Role], str]) -> None:
    """Hold what the failure of one conversation's model says should be held; done twice is fine.

    :param why_refused: asks the model once; returns what to do, in a sentence, when it refuses for good,
        else an empty text.
    """
    call = Call.objects.only("ended_by", "campaign_id").filter(pk=call_id).first()
    role = ROLE_OF_END.get(EndedBy(call.ended_by)) if call is not None and call.ended_by else None
    if call is None or role is None:
        return
    if reason := why_refused(role):
        logger.warning("a model refuses for good", extra={"call_id": str(call_id), "role": role.value})
        running = Campaign.objects.filter(state=CampaignState.RUNNING).values_list("pk", flat=True)
        for campaign_id in running:
            campaigns.hold(campaign_id=campaign_id, reason=reason, release_after=None)
    elif _is_a_streak(call.campaign_id):
        campaigns.hold(
            campaign_id=call.campaign_id,
            reason=f"The models failed in {STREAK_HOLDS} calls in a row. Run manage.py doctor: it says what "
            "is wrong. Dialing resumes by itself.",
            release_after=HELD_FOR,
        )


def _is_a_streak(campaign_id: int) -> bool:
    latest = Call.objects.filter(campaign_id=campaign_id, end_received_at__isnull=False)
    ends = list(latest.order_by("-end_received_at").values_list("ended_by", flat=True)[:STREAK_HOLDS])
    return len(ends) == STREAK_HOLDS and all(end in ROLE_OF_END for end in ends)
