"""A tunnel to the hooks' port: whichever program is there, its address is ours for this run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from outreach.management.commands import _entering
from outreach.management.supervisor.tunnel import NoTunnel, Tunnel, open_tunnel

pytestmark = pytest.mark.functional

NGROK = """
import json, sys, time
assert sys.argv[1:] == ["http", "127.0.0.1:8001", "--log", "stdout", "--log-format", "json"], sys.argv
print(json.dumps({"lvl": "info", "msg": "starting web service", "addr": "127.0.0.1:4040"}), flush=True)
print(json.dumps({"lvl": "info", "msg": "started tunnel", "name": "command_line",
                  "addr": "http://127.0.0.1:8001", "url": "https://quick-fox.ngrok-free.app"}), flush=True)
time.sleep(60)
"""
CLOUDFLARED = """
import sys, time
assert sys.argv[1:] == ["tunnel", "--no-autoupdate", "--url", "http://127.0.0.1:8001"], sys.argv
say = lambda words: print(words, file=sys.stderr, flush=True)
say("INF Requesting new quick Tunnel on trycloudflare.com...")
say("INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |")
say("INF |  https://blue-bird-sings.trycloudflare.com                                                  |")
time.sleep(60)
"""
REFUSED = """
import json
print(json.dumps({"lvl": "eror", "msg": "command failed", "err": "authentication failed: no authtoken"}))
raise SystemExit(1)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH but for what the test puts there."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def put(programs: Path, name: str, code: str) -> None:
    path = programs / name
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o755)


def opened(tmp_path: Path, *, within: float = 20.0) -> Tunnel:
    return open_tunnel(port=8001, log=tmp_path / "logs" / "tunnel.log", within=within)


@pytest.mark.parametrize(
    ("name", "code", "address"),
    [
        ("ngrok", NGROK, "https://quick-fox.ngrok-free.app"),
        ("cloudflared", CLOUDFLARED, "https://blue-bird-sings.trycloudflare.com"),
    ],
)
def test_has_the_address_that_the_program_says(
    programs: Path, tmp_path: Path, name: str, code: str, address: str
) -> None:
    put(programs, name, code)
    tunnel = opened(tmp_path)
    assert (tunnel.address, tunnel.has_ended) == (address, False)
    tunnel.close()
    assert tunnel.has_ended


def test_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(NoTunnel, match="ngrok or cloudflared on PATH"):
        opened(tmp_path)


def test_says_why_the_program_opened_none(programs: Path, tmp_path: Path) -> None:
    put(programs, "ngrok", REFUSED)
    with pytest.raises(NoTunnel, match="no authtoken"):
        opened(tmp_path)


def test_waits_no_longer_than_asked_for_an_address(programs: Path, tmp_path: Path) -> None:
    put(programs, "ngrok", "import time; time.sleep(60)")
    with pytest.raises(NoTunnel, match="said nothing"):
        opened(tmp_path, within=0.3)


def test_up_takes_the_address_over_for_this_run(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://last-week.trycloudflare.com")
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "x://brought")
    monkeypatch.setenv("DIALING", "test")
    for name in ("HOOKS_URL", "FLOWER_URL", "FLOWER_BASIC_AUTH", "ALEX_SPOOL_DIR", "ALEX_HEALTH_PORT"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    given = _entering.free_ports()
    put(programs, "cloudflared", CLOUDFLARED.replace(":8001", f":{given.hooks}"))
    ports = [f"--port-{name}={port}" for name, port in vars(given).items()]
    _entering.enter_environment("up", ["--tunnel", "--data", str(tmp_path / "data"), *ports])
    entered = _entering._entered.pop()
    with entered.held:
        assert os.environ["PUBLIC_BASE_URL"] == "https://blue-bird-sings.trycloudflare.com"
        assert "blue-bird-sings" in (tmp_path / "data" / "environment.json").read_text()
        assert not entered.cut_off
    assert entered.cut_off


def test_a_rehearsal_needs_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIALING", "rehearsal")
    ports = [f"--port-{name}={port}" for name, port in vars(_entering.free_ports()).items()]
    with pytest.raises(SystemExit, match="A rehearsal needs no tunnel"):
        _entering.enter_environment("up", ["--tunnel", "--data", str(tmp_path), *ports])
