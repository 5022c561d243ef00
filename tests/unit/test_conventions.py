"""What no module of the product may do, however convenient it were."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(
    path for package in ("outreach", "config", "agentworker") for path in (ROOT / package).rglob("*.py")
)
#: Decisions and use cases ask the database for the time; only what reports on processes may look at the wall.
ONE_DOOR = [
    p for p in PRODUCT if {"domain", "services", "tasks.py", "models"} & set(p.relative_to(ROOT).parts)
]


def calls(path: Path) -> Iterator[ast.Call]:
    """Yield every call in a module."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_call_waits_in_the_broker_and_no_library_repeats_one(path: Path) -> None:
    forbidden = {"eta", "countdown", "autoretry_for", "retry_backoff"}
    for call in calls(path):
        used = {keyword.arg for keyword in call.keywords} & forbidden
        assert not used, f"line {call.lineno}: {used}"
        assert not (isinstance(call.func, ast.Attribute) and call.func.attr == "retry"), call.lineno


@pytest.mark.parametrize("path", ONE_DOOR, ids=lambda path: str(path.relative_to(ROOT)))
def test_time_comes_through_its_one_door(path: Path) -> None:
    clocks = {"datetime.now", "datetime.utcnow", "timezone.now", "time.time", "date.today"}
    used = {ast.unparse(call.func) for call in calls(path)}
    assert not used & clocks


@pytest.mark.parametrize("path", ["/admin/", "/", "/readyz", "/live/dashboard"])
def test_the_port_that_a_tunnel_publishes_has_no_page_of_the_operator(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path, urlconf="config.hooks_urls")
