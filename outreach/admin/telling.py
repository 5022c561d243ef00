"""What came of an action, told on top of the page that follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest

REASONS_TOLD = 8


def say_done(request: HttpRequest, n_people: int, done: str, *, of: int = 0, because: str = "") -> None:
    """Tell how many people something was done to, and of how many it was asked in vain.

    :param of: how many it was asked for, where there may be others.
    :param because: why it is not done to those, as a half-sentence.
    """
    why = f": {because}" if because else ""
    if not n_people:
        messages.warning(request, f"Nobody was {done}{why}.")
        return
    messages.success(request, f"{_n_people(n_people)} {done}.")
    if of > n_people:
        messages.warning(request, f"{_n_people(of - n_people)} not {done}{why}.")


def say_refused(request: HttpRequest, refused: Mapping[str, Sequence[str] | int], what: str) -> None:
    """Tell for each reason who or how many were refused `what`, the most frequent reasons first."""

    def how_many(people: Sequence[str] | int) -> int:
        return people if isinstance(people, int) else len(people)

    by_number = sorted(refused.items(), key=lambda item: -how_many(item[1]))
    for reason, people in by_number[:REASONS_TOLD]:
        messages.warning(request, f"{what}, {_who(people)}: {reason}")
    if len(by_number) > REASONS_TOLD:
        rest = sum(how_many(people) for _, people in by_number[REASONS_TOLD:])
        messages.warning(request, f"{what}, {_who(rest)}: for other reasons; their pages say which.")


def _who(people: Sequence[str] | int) -> str:
    if isinstance(people, int):
        return _n_people(people)
    shown = ", ".join(people[:5])
    return f"{shown} and {len(people) - 5} more" if len(people) > 5 else shown


def _n_people(n: int) -> str:
    return "1 person" if n == 1 else f"{n} people"
