"""What goes wrong in the outside world: seeded knobs, the same calls failing in the same way every time.

A knob is `service.name`. A share (0…1) says how often; a knob that ends in `_seconds` says how long.
Whether a knob strikes depends only on the seed, the knob and the key (say, number and attempt), not on
the order in which things happen, so that a rehearsal can be repeated on a machine of another speed. Where
nothing names a thing (an API request, say), its key is how often the knob was asked.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

DEFAULTS: dict[str, float] = {
    "twilio.create_500_not_placed": 0.0,
    "twilio.create_500_placed": 0.0,
    "twilio.create_dropped_placed": 0.0,
    "twilio.create_hang_placed": 0.0,
    "twilio.create_429": 0.0,
    "twilio.hang_seconds": 30.0,
    "twilio.api_5xx": 0.0,
    "twilio.api_latency_seconds": 0.0,
    "twilio.list_delay_seconds": 0.0,
    "twilio.carrier_failure": 0.0,
    "twilio.webhook_dropped": 0.0,
    "twilio.webhook_delayed": 0.0,
    "twilio.webhook_delay_seconds": 2.0,
    "twilio.webhook_duplicated": 0.0,
    "twilio.webhook_reordered": 0.0,
    "livekit.api_5xx": 0.0,
    "livekit.api_latency_seconds": 0.0,
    "livekit.dispatch_dropped": 0.0,
    "livekit.webhook_dropped": 0.0,
    "groq.llm_latency_seconds": 0.0,
    "groq.llm_429": 0.0,
    "groq.llm_5xx": 0.0,
    "groq.llm_piece_seconds": 0.0,
    "groq.llm_cut_stream": 0.0,
    "groq.llm_tool_use_failed": 0.0,
    "groq.llm_broken_arguments": 0.0,
    "groq.speech_latency_seconds": 0.0,
    "groq.speech_429": 0.0,
    "groq.speech_5xx": 0.0,
    "groq.terms_missing": 0.0,
}

#: The faults of placing a call of which at most one strikes.
CREATE_FAULTS: tuple[str, ...] = (
    "twilio.create_500_not_placed",
    "twilio.create_500_placed",
    "twilio.create_dropped_placed",
    "twilio.create_hang_placed",
    "twilio.create_429",
)

PRESETS: dict[str, dict[str, float]] = {
    "none": {},
    # A fifth of the calls meets a failure of the network: 11 % while being placed, 5 % at the carrier,
    # 4 % because of the room server. Webhooks go astray besides.
    "network20": {
        "twilio.create_500_not_placed": 0.02,
        "twilio.create_500_placed": 0.03,
        "twilio.create_dropped_placed": 0.03,
        "twilio.create_hang_placed": 0.01,
        "twilio.create_429": 0.02,
        "twilio.carrier_failure": 0.05,
        "twilio.list_delay_seconds": 1.0,
        "twilio.webhook_dropped": 0.05,
        "twilio.webhook_delayed": 0.10,
        "twilio.webhook_duplicated": 0.10,
        "twilio.webhook_reordered": 0.05,
        "livekit.api_5xx": 0.01,
        "livekit.dispatch_dropped": 0.03,
        "livekit.webhook_dropped": 0.10,
    },
}


class UnknownFault(ValueError):
    """A knob or preset that does not exist, or a value outside its range."""


class Faults:
    """The knobs as they stand, and the seeded dice behind them."""

    def __init__(self, *, seed: int = 0, knobs: Mapping[str, Any] | None = None) -> None:
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self._values = dict(DEFAULTS)
        self.set(knobs or {})

    def set(self, knobs: Mapping[str, Any]) -> None:
        """Turn knobs: `{"preset": name}` first resets all, then `{"service.name": value}` each.

        `{"service": {"name": value}}` is understood as well.

        :raises UnknownFault: when a name is unknown or a value is out of range; nothing is changed then.
        """
        values = dict(self._values)
        if "preset" in knobs:
            if knobs["preset"] not in PRESETS:
                raise UnknownFault(f"no preset {knobs['preset']!r}; there are {', '.join(PRESETS)}")
            values = DEFAULTS | PRESETS[knobs["preset"]]
        for name, value in _flattened(knobs).items():
            if name not in DEFAULTS:
                raise UnknownFault(f"no knob {name!r}; there are {', '.join(DEFAULTS)}")
            values[name] = _checked(name, value)
        self._values = values

    def as_dict(self) -> dict[str, float]:
        """Return every knob with its value."""
        return dict(self._values)

    def value(self, name: str) -> float:
        """Return a knob's value."""
        return self._values[name]

    def strikes(self, name: str, *, key: str | None = None) -> bool:
        """Tell whether fault `name` happens now; the same key always gets the same answer."""
        return self._die(name, key) < self._values[name]

    def one_of(self, names: Sequence[str], *, key: str | None = None) -> str | None:
        """Return which one of mutually exclusive faults happens, or None."""
        thrown = self._die("|".join(names), key)
        for name in names:
            thrown -= self._values[name]
            if thrown < 0:
                return name
        return None

    def _die(self, name: str, key: str | None) -> float:
        if key is None:
            self._asked[name] += 1
            key = f"#{self._asked[name]}"
        digest = hashlib.sha256(f"{self._seed}/{name}/{key}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _flattened(knobs: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in knobs.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{inner}": setting for inner, setting in value.items()})
        elif name != "preset":
            flat[name] = value
    return flat


def _checked(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnknownFault(f"{name} wants a number, not {value!r}")
    if value < 0 or (value > 1 and not name.endswith("_seconds")):
        raise UnknownFault(f"{name} is out of range: {value}")
    return float(value)
