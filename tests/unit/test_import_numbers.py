"""The lean table of first lines says what a dict would."""

from __future__ import annotations

import random

import pytest

from outreach.services.import_numbers import FirstLines

pytestmark = pytest.mark.unit


def test_remembers_the_first_line_of_each_number_while_it_grows() -> None:
    chance = random.Random(11)
    table, expected = FirstLines(), dict[int, int]()
    numbers = [chance.choice((12_125_550_000 + n, chance.randrange(1, 10**15), 7)) for n in range(20_000)]
    for line, number in enumerate([*numbers, *numbers], start=2):
        assert table.first(number, line) == expected.setdefault(number, line)
