"""The addresses under /hooks/."""

from __future__ import annotations

from django.urls import path

from outreach import health
from outreach.webhooks import agents, incoming, livekit, nonce, twilio

urlpatterns = [
    path("livez", health.livez, name="hooks-livez"),
    path("readyz", health.readyz, name="hooks-readyz"),
    path("nonce", nonce.nonce, name="hooks-nonce"),
    path("twilio/answer/<str:token>", twilio.answer, name="twilio-answer"),
    path("twilio/dialed/<str:token>", twilio.dialed, name="twilio-dialed"),
    path("twilio/status/<str:token>", twilio.status, name="twilio-status"),
    path("twilio/incoming", incoming.ring, name="twilio-incoming"),
    path("twilio/incoming/choice/<int:prompt>", incoming.choice, name="twilio-incoming-choice"),
    path("twilio/incoming/status", incoming.status, name="twilio-incoming-status"),
    path("livekit", livekit.room_event, name="livekit"),
    path("agent/worker", agents.worker, name="agent-worker"),
    path("agent/<uuid:call_id>/fact", agents.fact, name="agent-fact"),
    path("agent/<uuid:call_id>/words", agents.words, name="agent-words"),
]
