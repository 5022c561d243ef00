"""Proof that an address leads to our own hooks process: it alone signs the nonce that it is asked with."""

from __future__ import annotations

import re
import secrets

from django.utils.crypto import constant_time_compare, salted_hmac

#: Its own salt: what is signed here is good for nothing else.
SALT = "outreach.hooks.nonce"
PATH = "/hooks/nonce"

_NONCE = re.compile(r"[0-9a-f]{32}")


def new_nonce() -> str:
    """Return a nonce that was never asked with before."""
    return secrets.token_hex(16)


def is_nonce(text: str) -> bool:
    """Tell whether `text` looks like one of ours: nothing else is signed."""
    return _NONCE.fullmatch(text) is not None


def signed(nonce: str) -> str:
    """Return the answer that only a process with our secret key can give."""
    return salted_hmac(SALT, nonce, algorithm="sha256").hexdigest()


def is_signed(nonce: str, answer: str) -> bool:
    """Tell whether `answer` came from a process with our secret key."""
    return constant_time_compare(answer.strip(), signed(nonce))
