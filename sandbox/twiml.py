"""TwiML as the carrier reads it: the verbs that a call of ours may meet."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

DOCUMENT_PARSE_FAILURE = 12100
INVALID_ROOT = 12102
SCHEMA_WARNING = 12200
SIP_BAD_URI = 13224
DIAL_TIMEOUT = 30
DIAL_TIME_LIMIT = 14_400
GATHER_TIMEOUT = 5


class InvalidTwiml(ValueError):
    """The document cannot be obeyed; `code` is Twilio's error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class SipAddress:
    """The noun `<Sip>`: whom to dial, with what credentials and headers."""

    user: str
    host: str
    headers: dict[str, str] = field(default_factory=dict)
    username: str = ""
    password: str = ""


@dataclass(frozen=True, kw_only=True)
class Dial:
    """Connect the call to a SIP address; times in seconds."""

    address: SipAddress
    timeout: float = DIAL_TIMEOUT
    time_limit: float = DIAL_TIME_LIMIT
    action: str = ""
    method: str = "POST"


@dataclass(frozen=True)
class Hangup:
    """End the call; `<Reject>` of a call that was answered is the same."""


@dataclass(frozen=True)
class Say:
    """Read a text aloud."""

    text: str

    @property
    def seconds(self) -> float:
        """How long a voice takes for it, at 150 words a minute."""
        return len(self.text.split()) / 2.5


@dataclass(frozen=True)
class Pause:
    """Stay silent for so many seconds."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Gather:
    """Wait for a key or for words while `prompts` are heard; times in seconds.

    https://www.twilio.com/docs/voice/twiml/gather
    """

    prompts: tuple[Say | Pause, ...] = ()
    inputs: frozenset[str] = frozenset({"dtmf"})
    n_digits: int | None = None
    timeout: float = GATHER_TIMEOUT
    action: str = ""
    method: str = "POST"
    asks_in_any_case: bool = False
    """Whether the action is asked, too, when nothing was entered."""


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True)
class Unknown:
    """A verb outside the schema: Twilio warns (12200) and goes on."""

    name: str


Verb = Dial | Gather | Hangup | Pause | Redirect | Say | Unknown


def parse(document: str) -> list[Verb]:
    """Read a TwiML document.

    :raises InvalidTwiml: when it is no XML, no `<Response>`, or dials nothing that can be dialled.
    """
    try:
        root = ElementTree.fromstring(document.strip())  # noqa: S314 - the product's own answer
    except ElementTree.ParseError as exc:
        raise InvalidTwiml(DOCUMENT_PARSE_FAILURE, "Document parse failure") from exc
    if root.tag != "Response":
        raise InvalidTwiml(INVALID_ROOT, f"Invalid root element: {root.tag}")
    return [_verb(element) for element in root]


def _verb(element: ElementTree.Element) -> Verb:
    match element.tag:
        case "Dial":
            return _dial(element)
        case "Hangup" | "Reject":
            return Hangup()
        case "Say":
            return Say("".join(element.itertext()).strip())
        case "Pause":
            return Pause(_seconds(element, "length", 1))
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(url=(element.text or "").strip(), method=element.get("method", "POST").upper())
        case name:
            return Unknown(name)


def _gather(element: ElementTree.Element) -> Gather:
    inside = (_verb(nested) for nested in element)
    digits = element.get("numDigits", "")
    return Gather(
        prompts=tuple(verb for verb in inside if isinstance(verb, Say | Pause)),
        inputs=frozenset(element.get("input", "dtmf").split()),
        n_digits=int(digits) if digits.isdigit() else None,
        timeout=_seconds(element, "timeout", GATHER_TIMEOUT),
        action=element.get("action", ""),
        method=element.get("method", "POST").upper(),
        asks_in_any_case=element.get("actionOnEmptyResult", "false").lower() == "true",
    )


def _dial(element: ElementTree.Element) -> Dial:
    sip = element.find("Sip")
    if sip is None:
        raise InvalidTwiml(SIP_BAD_URI, "only <Sip> can be dialled here")
    return Dial(
        address=_address(sip),
        timeout=_seconds(element, "timeout", DIAL_TIMEOUT),
        time_limit=_seconds(element, "timeLimit", DIAL_TIME_LIMIT),
        action=element.get("action", ""),
        method=element.get("method", "POST").upper(),
    )


def _address(sip: ElementTree.Element) -> SipAddress:
    """Read `sip:user@host;transport=tcp?X-Name=value&…`; only X-headers reach the other side."""
    scheme, _, rest = (sip.text or "").strip().partition(":")
    location, _, query = rest.partition("?")
    user, at, host = location.partition(";")[0].rpartition("@")
    if scheme.lower() not in ("sip", "sips") or not at or not host:
        raise InvalidTwiml(SIP_BAD_URI, "Invalid SIP URI")
    headers = {name: value for name, value in parse_qsl(query) if name.upper().startswith("X-")}
    return SipAddress(
        user=user,
        host=host,
        headers=headers,
        username=sip.get("username", ""),
        password=sip.get("password", ""),
    )


def _seconds(element: ElementTree.Element, name: str, default: float) -> float:
    try:
        return max(float(element.get(name, default)), 0.0)
    except ValueError as exc:
        raise InvalidTwiml(SCHEMA_WARNING, f"{name} of <{element.tag}> is no number") from exc
