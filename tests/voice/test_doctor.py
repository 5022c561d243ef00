"""Doctor's LiveKit checks where everything is real: livekit-server, the worker, the hooks process."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import Settings

from outreach.doctor import livekit_project
from outreach.doctor.finding import Surroundings
from tests.voice.conftest import Production

pytestmark = [pytest.mark.functional, pytest.mark.timeout(120)]


@pytest.mark.parametrize("check", livekit_project.CHECKS, ids=lambda check: str(check.name))
def test_finds_it_in_order(check: livekit_project.Check, production: Production, settings: Settings) -> None:
    settings.LIVEKIT_URL = production.livekit_url
    try:
        finding = check.examine(Surroundings())
    finally:
        connection.close()
    assert (finding.status, finding.remedy) == ("ok", ""), finding.says
