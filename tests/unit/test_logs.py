"""What is written to the log of pages that fail."""

from __future__ import annotations

import json
import logging

import pytest
from django.conf import settings
from django.test import RequestFactory

pytestmark = pytest.mark.unit

ADDRESS = "/admin/outreach/facilitator/"


class TestARequest:
    @pytest.mark.parametrize(
        "request_of_log",
        [f"GET {ADDRESS}?q=zebrafinch", RequestFactory().get(ADDRESS, {"q": "zebrafinch"})],
        ids=["as structlog writes it", "as Django gives it"],
    )
    def test_is_named_without_what_was_searched_for(self, request_of_log: object) -> None:
        made = dict(settings.LOGGING["formatters"]["json"])
        formatter: logging.Formatter = made.pop("()")(**made)
        record = logging.makeLogRecord({"msg": "request failed", "request": request_of_log})
        written = json.loads(formatter.format(record))
        assert ADDRESS in written["request"]
        assert "zebrafinch" not in str(written)
