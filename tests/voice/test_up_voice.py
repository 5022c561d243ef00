"""`manage.py up --voice`: the same rehearsal, heard and spoken."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from sandbox.livekit_build import find_server
from tests.functional.test_up import Up, data, up

__all__ = ["data", "up"]

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]


class TestUpWithVoices:
    def test_has_a_first_conversation_and_leaves_nothing_behind(
        self, up: Callable[..., Up], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = find_server()
        assert server is not None, "run `make livekit` once"
        monkeypatch.setenv("PATH", f"{server.parent}{os.pathsep}{os.environ['PATH']}")
        run = up("--voice", "--people=1")
        assert run.says("The first conversation is finished", within=200), run.said
        assert "alex     to Mia Carter: " in run.said
        assert "person   Mia Carter: " in run.said
        run.process.send_signal(signal.SIGINT)
        assert run.ends() == 0, run.said
