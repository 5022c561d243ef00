"""On which line of a list each number stood first, in 24 bytes a number where a dict takes 110."""

from __future__ import annotations

from array import array

_FIRST_SIZE = 1 << 12
#: Odd and large, so that numbers in a row end up far from each other (Knuth's multiplicative hashing).
_SPREAD = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class FirstLines:
    """Numbers and their first lines: two arrays with open addressing, doubled when half full."""

    def __init__(self) -> None:
        self._resize(_FIRST_SIZE)

    def first(self, number: int, line: int) -> int:
        """Return the line on which `number` stood first, which is `line` when it is new.

        :param number: E.164 without its +, so never zero.
        """
        index = self._place(number)
        if self._numbers[index]:
            return self._lines[index]
        if self._taken * 2 >= self._mask:
            self._grow()
            index = self._place(number)
        self._numbers[index], self._lines[index] = number, line
        self._taken += 1
        return line

    def _place(self, number: int) -> int:
        """Return where a number stands, or the free place where it belongs."""
        numbers, mask = self._numbers, self._mask
        index = ((number * _SPREAD & _WORD) >> 32) & mask
        while (found := numbers[index]) and found != number:
            index = (index + 1) & mask
        return index

    def _grow(self) -> None:
        numbers, lines = self._numbers, self._lines
        self._resize(2 * len(numbers))
        for number, line in zip(numbers, lines, strict=True):
            if number:
                index = self._place(number)
                self._numbers[index], self._lines[index] = number, line
                self._taken += 1

    def _resize(self, size: int) -> None:
        self._numbers, self._lines = (
            array("Q", bytes(8 * size)),
            array("L", bytes(array("L").itemsize * size)),
        )
        self._mask, self._taken = size - 1, 0
