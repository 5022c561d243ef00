"""What `manage.py up` makes itself, and what it leaves to the operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.management.supervisor.environment import OWN_SECRETS, own_secrets
from outreach.management.supervisor.state import kept_secrets

pytestmark = pytest.mark.unit


class TestOutsideARehearsal:
    def test_what_our_own_processes_share_is_made_where_it_is_not_given(self, tmp_path: Path) -> None:
        made = kept_secrets(tmp_path, rehearsal=False)
        assert own_secrets(secrets=made, given={"DJANGO_SECRET_KEY": " "}) == {
            name: made[name] for name in OWN_SECRETS
        }

    def test_what_is_given_stays(self, tmp_path: Path) -> None:
        made = kept_secrets(tmp_path, rehearsal=False)
        given = {"DJANGO_SECRET_KEY": "theirs", "AGENT_SECRET": "theirs, too"}
        assert own_secrets(secrets=made, given=given) == {}

    def test_keys_of_services_are_never_made(self, tmp_path: Path) -> None:
        assert not {
            name
            for name in kept_secrets(tmp_path, rehearsal=False)
            if name.startswith(("LIVEKIT", "GROQ", "TWILIO"))
        }
