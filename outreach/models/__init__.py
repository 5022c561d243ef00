"""The rows: fields, constraints, filters, compare-and-set. Rules are the domain's, use cases the services."""

from outreach.models.access import Access, AccessKind, ApiToken, Preference
from outreach.models.after_call import Rate, RateItem, Summary, SummaryState
from outreach.models.call import Call, Channel, CostState, TranscriptState
from outreach.models.call_event import CallEvent, EventSource
from outreach.models.callback import Callback, CallbackState
from outreach.models.caller_id import CallerId
from outreach.models.campaign import Campaign, CampaignState, CanaryState, ScriptVersion
from outreach.models.control import AgentWorker, CheckResult, CheckStatus, DialingControl, PacingBucket
from outreach.models.decision import Decision
from outreach.models.facilitator import ConsentBasis, Facilitator, ZoneSource
from outreach.models.import_batch import ImportBatch, ImportRow, ImportState, SourceRow
from outreach.models.incoming_call import IncomingCall, IncomingChoice
from outreach.models.interest import Interest
from outreach.models.notice import DeliveryState, HookDelivery, HookEndpoint, HookEvent, Notice
from outreach.models.statistics import PeopleCount, Tally
from outreach.models.suppression import Suppression, SuppressionSource
from outreach.models.transcript import Note, Turn

__all__ = [
    "Access",
    "AccessKind",
    "AgentWorker",
    "ApiToken",
    "Call",
    "CallEvent",
    "Callback",
    "CallbackState",
    "CallerId",
    "Campaign",
    "CampaignState",
    "CanaryState",
    "Channel",
    "CheckResult",
    "CheckStatus",
    "ConsentBasis",
    "CostState",
    "Decision",
    "DeliveryState",
    "DialingControl",
    "EventSource",
    "Facilitator",
    "HookDelivery",
    "HookEndpoint",
    "HookEvent",
    "ImportBatch",
    "ImportRow",
    "ImportState",
    "IncomingCall",
    "IncomingChoice",
    "Interest",
    "Note",
    "Notice",
    "PacingBucket",
    "PeopleCount",
    "Preference",
    "Rate",
    "RateItem",
    "ScriptVersion",
    "SourceRow",
    "Summary",
    "SummaryState",
    "Suppression",
    "SuppressionSource",
    "Tally",
    "TranscriptState",
    "Turn",
    "ZoneSource",
]
