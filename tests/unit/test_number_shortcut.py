"""The short way and phonenumbers say the same of every number that the short way answers for."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from outreach.domain import number_shortcut, phone_number
from outreach.domain.number_shortcut import ordinary
from outreach.domain.phone_number import InvalidNumber, PhoneNumber, parse_number

pytestmark = pytest.mark.unit

KINDS = [
    PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE, PhoneNumberType.VOIP,
    PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.UAN, PhoneNumberType.PAGER, PhoneNumberType.VOICEMAIL,
]  # fmt: skip


def numbers_of(region: str, chance: random.Random) -> list[tuple[str, str]]:
    """Return examples of every kind and their mutations, as written, with the country they are read in."""
    written: list[tuple[str, str]] = []
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        national = phonenumbers.national_significant_number(example)
        for _ in range(8):
            digits = list(national)
            for _ in range(chance.choice((0, 1, 1, 2))):
                digits[chance.randrange(len(digits))] = chance.choice("0123456789")
            changed = "".join(digits)[: chance.choice((-1, None, None, None))]
            written += [
                (f"+{example.country_code}{changed}", ""),
                (changed, region),
                (f"{example.country_code}{changed}", region),
                (f"0{changed}", region),
            ]
    return written


def answer(written: str, country: str) -> PhoneNumber | str:
    try:
        return parse_number(written, default_country=country)
    except InvalidNumber as exc:
        return exc.code


class TestTheShortWay:
    def test_says_what_phonenumbers_says_of_every_region_and_kind(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chance = random.Random(20260303)
        asked = [
            pair for region in sorted(phonenumbers.SUPPORTED_REGIONS) for pair in numbers_of(region, chance)
        ]
        short = [answer(*pair) for pair in asked]
        taken = sum(ordinary(written, default_country=country) is not None for written, country in asked)
        monkeypatch.setattr(phone_number, "ordinary", lambda *_, **__: None)
        differing = [
            (pair, quick, slow)
            for pair, quick in zip(asked, short, strict=True)
            if quick != (slow := answer(*pair))
        ]
        assert differing == []
        assert len(asked) > 20_000
        assert taken > len(asked) // 5

    @pytest.mark.parametrize("written", ["+", "+1", "+0123456789", "+80012345678", "2125550100", "12", ""])
    def test_leaves_what_is_not_plain_to_the_long_way(self, written: str) -> None:
        assert ordinary(written, default_country="") is None

    def test_puts_the_patterns_of_a_country_together_once(self) -> None:
        ordinary("+12125550100", default_country="")
        before = number_shortcut._regions.cache_info().misses
        assert ordinary("+13125550100", default_country="") == (
            "+13125550100", "US", ("America/Chicago",),
        )  # fmt: skip
        assert number_shortcut._regions.cache_info().misses == before
