"""What Twilio's unhappy answers mean: whose fault a refusal is, and when nobody knows what happened."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from outreach.integrations.telephony import (
    DialOutcomeUnknown,
    Fault,
    TelephonyError,
    TelephonyRefused,
    TelephonyUnavailable,
)

#: Error codes that blame the called number: 21211 invalid, 21214 not reachable, 21216 not allowed,
#: 21217 and 21421 not valid, 21610 opted out at Twilio, 13223-13226 not diallable. Geographic
#: permissions (21215, 13227) and all others are our account's. https://www.twilio.com/docs/api/errors
NUMBER_CODES = frozenset({13223, 13224, 13225, 13226, 21211, 21214, 21216, 21217, 21421, 21610})
TOO_MANY_REQUESTS = 20429
INVALID_CALL_STATE = 21220
#: Too many calls at once, not too many requests: whatever the HTTP status, slowing down does not help.
CONCURRENCY_LIMIT = 10004

#: HTTP statuses below 500 that leave open whether the request was carried out.
_AMBIGUOUS = frozenset({requests.codes.request_timeout})

_T = TypeVar("_T")


@contextmanager
def dial_errors() -> Iterator[None]:
    """Translate what may go wrong with a dial; `from None`, since the causes hold numbers."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as exc:
        raise _dial_error(http_status=exc.status, code=exc.code or exc.status) from None
    except requests.RequestException as exc:
        if _never_sent(exc):
            raise TelephonyUnavailable(f"Twilio could not be reached ({type(exc).__name__})") from None
        raise DialOutcomeUnknown(f"Twilio did not answer ({type(exc).__name__})") from None
    except (TwilioException, ValueError, TypeError, AttributeError) as exc:
        raise DialOutcomeUnknown(f"Twilio's answer could not be read ({type(exc).__name__})") from None


def _dial_error(*, http_status: int, code: int) -> TelephonyError:
    """Return the error that a dial's unhappy answer means."""
    if not 400 <= http_status < 500 or http_status in _AMBIGUOUS:
        return DialOutcomeUnknown(f"Twilio answered {http_status}")
    if code == CONCURRENCY_LIMIT:
        fault = Fault.ACCOUNT
    elif http_status == requests.codes.too_many_requests or code == TOO_MANY_REQUESTS:
        fault = Fault.PACE
    elif code in NUMBER_CODES:
        fault = Fault.NUMBER
    else:
        fault = Fault.ACCOUNT
    return TelephonyRefused(
        f"Twilio refused the call (code {code})", code=str(code), fault=fault, http_status=http_status
    )


def _never_sent(error: requests.RequestException) -> bool:
    """Tell whether it is certain that not one byte of the request left: no connection came about."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    if not isinstance(cause, MaxRetryError):
        return False
    reason = cause.reason
    if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return True
    return bool(reason and reason.args and isinstance(reason.args[0], ssl.SSLCertVerificationError))


def asked(question: Callable[[], _T]) -> _T | None:
    """Return Twilio's answer to a question that may be repeated, or None when there is no such call.

    :raises TelephonyUnavailable: when there is no answer, or none that can be read.
    """
    try:
        return question()
    except (TwilioRestException, TwilioServiceException) as exc:
        if exc.status == requests.codes.not_found:
            return None
        raise TelephonyUnavailable(f"Twilio answered {exc.status} (code {exc.code})") from None
    except requests.RequestException as exc:
        raise TelephonyUnavailable(f"Twilio could not be asked ({type(exc).__name__})") from None
    except (TwilioException, ValueError, TypeError, AttributeError) as exc:
        raise TelephonyUnavailable(f"Twilio's answer could not be read ({type(exc).__name__})") from None


@contextmanager
def account_errors() -> Iterator[None]:
    """Translate what may go wrong with a question about the account.

    :raises TelephonyRefused: when Twilio said no, with its code.
    :raises TelephonyUnavailable: when it could not be asked, or not be understood.
    """
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as exc:
        if exc.status >= requests.codes.server_error:
            raise TelephonyUnavailable(f"Twilio answered {exc.status}") from None
        code = str(exc.code or exc.status)
        raise TelephonyRefused(
            f"Twilio refused (code {code})", code=code, fault=Fault.ACCOUNT, http_status=exc.status
        ) from None
    except requests.RequestException as exc:
        raise TelephonyUnavailable(f"Twilio could not be asked ({type(exc).__name__})") from None
    except (TwilioException, ValueError, TypeError, AttributeError) as exc:
        raise TelephonyUnavailable(f"Twilio's answer could not be read ({type(exc).__name__})") from None
