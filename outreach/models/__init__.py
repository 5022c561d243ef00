"""The rows: fields, constraints, filters, compare-and-set. Rules are the domain's, use cases the services."""

from outreach.models.after_call import Rate, RateItem, Summary, SummaryState
from outreach.models.call import Call, Channel, CostState, TranscriptState
from outreach.models.call_event import CallEvent, EventSource
from outreach.models.callback import Callback, CallbackState
from outreach.models.campaign import Campaign, CampaignState, CanaryState, ScriptVersion
from outreach.models.control import AgentWorker, CheckResult, CheckStatus, DialingControl, PacingBucket
from outreach.models.decision import Decision
from outreach.models.facilitator import ConsentBasis, Facilitator, ZoneSource
from outreach.models.import_batch import ImportBatch, ImportRow, ImportState
from outreach.models.incoming_call import IncomingCall, IncomingChoice
from outreach.models.statistics import DailyStatistics
from outreach.models.suppression import Suppression, SuppressionSource
from outreach.models.transcript import Note, Turn

__all__ = [
    "AgentWorker",
    "Call",
    "CallEvent",
    "Callback",
    "CallbackState",
    "Campaign",
    "CampaignState",
    "CanaryState",
    "Channel",
    "CheckResult",
    "CheckStatus",
    "ConsentBasis",
    "CostState",
    "DailyStatistics",
    "Decision",
    "DialingControl",
    "EventSource",
    "Facilitator",
    "ImportBatch",
    "ImportRow",
    "ImportState",
    "IncomingCall",
    "IncomingChoice",
    "Note",
    "PacingBucket",
    "Rate",
    "RateItem",
    "ScriptVersion",
    "Summary",
    "SummaryState",
    "Suppression",
    "SuppressionSource",
    "TranscriptState",
    "Turn",
    "ZoneSource",
]
