"""A real livekit-server on this machine, described as a foreground program for whoever runs it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sandbox.livekit_build import find_server
from sandbox.servers import Server, ServerError

LOOPBACK = "127.0.0.1"


def livekit_server(
    *,
    data: Path,
    port: int,
    media_port: int,
    api_key: str,
    api_secret: str,
    redis_url: str,
    webhook_url: str,
) -> Server:
    """Prepare livekit-server; nothing of it is reached from outside this machine.

    :param media_port: carries sound, by UDP, and by TCP where UDP is not let through.
    :param redis_url: without Redis the server refuses its SIP API (trunks, dispatch rules).
    :raises ServerError: when there is no livekit-server.
    """
    binary = find_server()
    if binary is None:
        raise ServerError("There is no livekit-server here: run `make livekit` once.")
    redis = urlsplit(redis_url)
    settings = {
        "port": port,
        "bind_addresses": [LOOPBACK],
        "keys": {api_key: api_secret},
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
            "tcp_port": media_port,
            "udp_port": media_port,
        },
        "webhook": {"api_key": api_key, "urls": [webhook_url]},
        "logging": {"level": "warn", "json": True},
    }
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = data / "livekit.yaml"
    configuration.touch(mode=0o600)
    configuration.chmod(0o600)
    # JSON is YAML, and needs nobody to quote a secret.
    configuration.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return Server(
        name="livekit",
        argv=[str(binary), "--config", str(configuration), "--node-ip", LOOPBACK],
        url=f"ws://{LOOPBACK}:{port}",
        port=port,
        stop_signal=signal.SIGTERM,
    )
