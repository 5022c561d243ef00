"""Twilio, measured against who is to be called: caller IDs, countries, money."""

from __future__ import annotations

from decimal import Decimal

from outreach.doctor.audience import Country, caller_ids, countries
from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, skipped, warn
from outreach.doctor.twilio_account import asks_twilio
from outreach.domain.account_rules import BALANCE_CHECK, BILLING_PAGE, GEO_PERMISSIONS_PAGE, NUMBERS_PAGE
from outreach.domain.cost import CostItem, Price, Quantity, cost_of
from outreach.domain.phone_number import mask
from outreach.integrations import twilio_account
from outreach.integrations.telephony import TelephonyRefused
from outreach.services.costs import current_prices

#: Minutes of a conversation on which the estimate rests, one per person.
TALK_MINUTES = 3
#: Countries that one run asks about, the largest first; each is a request.
MOST_COUNTRIES = 40
NAMED = 8


@asks_twilio
def callers(about: Surroundings) -> Finding:
    """Tell whether the account may call from the campaign's numbers: owned with voice, or verified."""
    wanted = caller_ids(about)
    if not wanted:
        return skipped("There is no campaign with a caller ID yet.")
    account = twilio_account.account()
    owned = {found.number: found for found in account.owned_numbers()}
    foreign = [number for number in wanted if number not in owned]
    verified = set(account.verified_numbers()) if foreign else set()
    missing = [number for number in foreign if number not in verified]
    if missing:
        shown = ", ".join(mask(number) for number in missing)
        return fail(
            f"The account may not call from {shown}: it neither owns the number nor is it verified.",
            remedy="Buy a number with Voice or verify yours, then put it into the campaign's caller IDs.",
            page=NUMBERS_PAGE,
        )
    mute = [number for number in wanted if number in owned and not owned[number].voice]
    if mute:
        return fail(
            f"The number {', '.join(mask(number) for number in mute)} cannot carry calls.",
            remedy="Take a number whose capabilities include Voice as the campaign's caller ID.",
            page=NUMBERS_PAGE,
        )
    return ok(f"The account may call from {_count(len(wanted), 'caller ID', 'caller IDs')}.")


@asks_twilio
def geography(about: Surroundings) -> Finding:
    """Tell whether the geographic permissions allow the countries of those to be called."""
    found = countries(about)
    if not found:
        return skipped("Nobody is to be called yet, so no country needs a permission.")
    account = twilio_account.account()
    closed = [country for country in found[:MOST_COUNTRIES] if account.may_call(country.iso) is not True]
    if closed:
        shown = ", ".join(f"{c.iso} disabled: {_people(c.n_people)}" for c in closed[:NAMED])
        more = f", and {len(closed) - NAMED} more" if len(closed) > NAMED else ""
        return fail(
            f"Geographic permissions: {shown}{more}.",
            remedy="Allow these countries for calls.",
            page=GEO_PERMISSIONS_PAGE,
        )
    return ok(f"Calls are allowed to {', '.join(country.iso for country in found[:NAMED])}.")


@asks_twilio
def money(about: Surroundings) -> Finding:
    """Tell whether the balance lasts for one conversation with everybody who is to be called."""
    try:
        left = twilio_account.account().balance()
    except TelephonyRefused as refusal:
        return skipped(f"Twilio names no balance (code {refusal.code}); a subaccount has none.")
    shown = f"{left.amount:.2f} {left.currency}"
    if left.amount <= 0:
        return fail(
            f"Nothing is left on the Twilio account ({shown}).",
            remedy="Add money, or turn on the automatic recharge.",
            page=BILLING_PAGE,
        )
    people = countries(about)
    needed = estimate(people, prices=current_prices())
    n_people = sum(country.n_people for country in people)
    if needed is None or not n_people:
        return ok(f"{shown} are left on the Twilio account.")
    basis = f"{_people(n_people)}, one conversation of {TALK_MINUTES} minutes each"
    if left.amount < needed:
        return warn(
            f"{shown} are left on the Twilio account; about {needed:.2f} are needed ({basis}).",
            remedy="Add money, or turn on the automatic recharge.",
            page=BILLING_PAGE,
        )
    return ok(f"{shown} are left on the Twilio account; about {needed:.2f} are needed ({basis}).")


def estimate(people: list[Country], *, prices: list[Price]) -> Decimal | None:
    """Return what Twilio would charge for one conversation each; None when no rate fits somebody."""
    minutes = Decimal(TALK_MINUTES)
    needed = Decimal(0)
    for country in people:
        legs = [
            Quantity(item=CostItem.TWILIO_CALL, amount=minutes, number=country.number),
            Quantity(item=CostItem.TWILIO_SIP, amount=minutes),
        ]
        bill = cost_of(legs, prices=prices)
        if bill.total is None or any(line.amount is None for line in bill.lines):
            return None
        needed += bill.total * country.n_people
    return needed


def _people(n_people: int) -> str:
    return _count(n_people, "person", "people")


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


CHECKS = (
    Check(name="twilio.caller_ids", examine=callers, after="twilio.credentials", of_campaign=True),
    Check(
        name="twilio.countries", examine=geography, after="twilio.credentials", seconds=40, of_campaign=True
    ),
    Check(name=BALANCE_CHECK, examine=money, after="twilio.credentials", of_campaign=True),
)
