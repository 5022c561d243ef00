"""livekit-server is described with everything on loopback and its secrets readable by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox import livekit_server
from sandbox.livekit_server import LiveKitPlace
from sandbox.servers import ServerError

pytestmark = pytest.mark.unit

PLACE = LiveKitPlace(
    port=7880,
    media_port=7882,
    api_key="key",
    api_secret="secret: of 32 characters, and # more",
    redis_url="redis://:pass%40word@127.0.0.1:6390/3",
    webhook_url="http://127.0.0.1:8001/hooks/livekit",
)


class TestServer:
    def test_listens_on_loopback_and_shares_our_redis(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(livekit_server, "find_server", lambda: Path("/opt/livekit-server"))
        server = livekit_server.livekit_server(PLACE, data=tmp_path / "livekit")
        written = tmp_path / "livekit" / "livekit.yaml"
        settings = json.loads(written.read_text())
        assert written.stat().st_mode & 0o777 == 0o600
        assert settings["bind_addresses"] == ["127.0.0.1"]
        assert settings["redis"] == {
            "address": "127.0.0.1:6390",
            "username": "",
            "password": "pass@word",
            "db": 3,
        }
        assert settings["keys"] == {"key": PLACE.api_secret}
        assert settings["webhook"]["urls"] == [PLACE.webhook_url]
        assert server.url == "ws://127.0.0.1:7880"
        assert PLACE.api_secret not in " ".join(server.argv) + repr(PLACE)

    def test_that_is_missing_says_how_to_get_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(livekit_server, "find_server", lambda: None)
        with pytest.raises(ServerError, match="make livekit"):
            livekit_server.livekit_server(PLACE, data=tmp_path)
