"""The production settings under throw-away keys; `tests/embedded.py` has started the servers."""

from __future__ import annotations

import os

_THROW_AWAY = {
    "OUTREACH_IGNORE_DOTENV": "1",
    "DJANGO_SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-value",
    "DATABASE_URL": "postgres://postgres@127.0.0.1:1/not-started",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DIALING": "rehearsal",
    "PUBLIC_BASE_URL": "http://127.0.0.1:8001",
    "TWILIO_API_URL": "http://127.0.0.1:9101",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "LIVEKIT_URL": "ws://127.0.0.1:9102",
    "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": "throw-away-livekit-secret-of-32-chars",
    "LIVEKIT_SIP_URI": "sip:127.0.0.1:5060",
    "SIP_USERNAME": "outreach",
    "SIP_PASSWORD": "throw-away-sip-password",
    "AGENT_SECRET": "throw-away-agent-secret",
    "GROQ_API_KEY": "gsk_throw_away",
    "GROQ_BASE_URL": "http://127.0.0.1:9103/openai/v1",
}
for _name, _value in _THROW_AWAY.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403  (the environment comes first)

STATIC_ROOT = None  # type: ignore[assignment]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
