"""A real livekit-server on this machine, described as a foreground program for whoever runs it."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.livekit_build import find_server
from sandbox.servers import Server, ServerError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class LiveKitPlace:
    """Where a livekit-server of this machine listens, and whom it lets in."""

    port: int
    media_port: int
    """Carries sound: by UDP, and by TCP where UDP is not let through."""
    api_key: str
    api_secret: str = field(repr=False)
    redis_url: str = field(repr=False)
    """Without Redis the server refuses its SIP API (trunks, dispatch rules)."""
    webhook_url: str


def livekit_server(place: LiveKitPlace, *, data: Path) -> Server:
    """Prepare livekit-server; nothing of it is reached from outside this machine.

    :param data: gets its configuration, readable by its owner only.
    :raises ServerError: when there is no livekit-server.
    """
    binary = find_server()
    if binary is None:
        raise ServerError("There is no livekit-server here: run `make livekit` once.")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = data / "livekit.yaml"
    configuration.touch(mode=0o600)
    configuration.chmod(0o600)
    # JSON is YAML, and needs nobody to quote a secret.
    configuration.write_text(json.dumps(_settings(place), indent=1), encoding="utf-8")
    return Server(
        name="livekit",
        argv=[str(binary), "--config", str(configuration), "--node-ip", LOOPBACK],
        url=f"ws://{LOOPBACK}:{place.port}",
        port=place.port,
        stop_signal=signal.SIGTERM,
    )


def _settings(place: LiveKitPlace) -> dict[str, Any]:
    redis = urlsplit(place.redis_url)
    return {
        "port": place.port,
        "bind_addresses": [LOOPBACK],
        "keys": {place.api_key: place.api_secret},
        "redis": {
            "address": f"{redis.hostname}:{redis.port}",
            "username": unquote(redis.username or ""),
            "password": unquote(redis.password or ""),
            "db": int(redis.path.strip("/") or 0),
        },
        "rtc": {
            "node_ip": LOOPBACK,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "tcp_port": place.media_port,
            "udp_port": place.media_port,
        },
        "webhook": {"api_key": place.api_key, "urls": [place.webhook_url]},
        "logging": {"level": "error", "json": True},
    }
