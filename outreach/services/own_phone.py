"""The gate for a call that an operator asks for to their own phone.

The hours, consent, quiet times and caps protect people from calls that they did not ask for. Whoever asks for
a call to their own phone, this moment, needs no such protection, so they do not bind it. What binds it: the
operators' own numbers, the numbers never to be called, and that a number is in one call at a time.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings

from outreach.domain.dialing_mode import DialingMode
from outreach.domain.gate import RefusalCode, Refuse
from outreach.services.gating import histories_of


def own_phones() -> list[str]:
    """Return the numbers that whoever runs this machine has vouched for as the operators' own."""
    return list(settings.TEST_NUMBERS)


def may_type_a_number() -> bool:
    """Tell whether any number may be given: in a rehearsal every phone is an emulated one."""
    return settings.DIALING is DialingMode.REHEARSAL


def refuse_own_phone(number: str, *, now: datetime, but_not: UUID | None = None) -> Refuse | None:
    """Return why this number may not be called for trial, or None.

    :param but_not: the call on whose behalf is asked.
    """
    if number not in own_phones() and not may_type_a_number():
        return _refuse(RefusalCode.NOT_A_TEST_NUMBER, "This number is none of TEST_NUMBERS in the settings.")
    history = histories_of([number], now=now, but_not=but_not)[number]
    if history.suppressed:
        return _refuse(RefusalCode.SUPPRESSED, "This number must never be called.")
    if history.on_another_call:
        return _refuse(RefusalCode.ON_ANOTHER_CALL, "This number is on another call; try again after it.")
    return None


def _refuse(code: RefusalCode, reason: str) -> Refuse:
    return Refuse(code=code, reason=reason, next_call_at=None, standing=None)
