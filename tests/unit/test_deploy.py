"""`make deploy`: in this order, and what fails before `up` touches nothing that runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import __main__ as deploy
from deploy import exchange
from outreach.doctor.registry import AREAS, CHECKS
from tests.unit.test_compose import SERVICES

pytestmark = pytest.mark.unit

#: Writes down what it is asked, and answers as a Docker on which `web`, `hooks` and Alex run, if any do.
FAKE_DOCKER = """#!/bin/sh
echo "$*" >> "$FAKE/asked"
if [ -s "$FAKE/fails" ] && echo "$*" | grep -q -- "$(cat "$FAKE/fails")"; then echo "it broke" >&2; exit 1; fi
case "$*" in
  *"config --format json") cat "$FAKE/config.json" ;;
  *"manage doctor --json") cat "$FAKE/doctor.json"; exit "$(cat "$FAKE/doctor.code")" ;;
  *"--scale "*) touch "$FAKE/beside-${*##* }" ;;
  "compose ps "*)
    if [ -e "$FAKE/running" ]; then echo "old-${*##* }"; fi
    if [ -e "$FAKE/beside-${*##* }" ]; then echo "new-${*##* }"; fi ;;
  "inspect --format {{index"*) echo "abc123" ;;
  "inspect --format {{if"*) cat "$FAKE/health" ;;
esac
"""
SETTINGS = {
    "DIALING": "live",
    "ADMIN_BASE_URL": "https://admin.example.org",
    "PUBLIC_BASE_URL": "https://calls.example.org/",
}
WELL = {"name": "local.redis", "area": "local", "status": "ok", "finding": "", "remedy": "", "page": ""}


class Server:
    """A server with a Docker that only writes down what it is asked."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.set(config=SETTINGS, health="healthy")
        self.doctor_finds(WELL)

    def set(self, *, config: dict[str, str] | None = None, health: str = "", fails: str = "") -> None:
        """Change what Docker answers: the settings, a new container's health, which command fails."""
        if config is not None:
            # As compose resolves it: the numbers of processes are numbers.
            services = {name: {**service, "scale": 1} for name, service in SERVICES.items()}
            services["web"]["environment"] = config
            self._write("config.json", json.dumps({"services": services}))
        if health:
            self._write("health", health)
        self._write("fails", fails)

    def runs(self) -> None:
        """Let an earlier revision run already."""
        self._write("running", "")

    def doctor_finds(self, *checks: dict[str, str]) -> None:
        """Let doctor find this."""
        self._write("doctor.json", json.dumps({"checks": checks}))
        self._write("doctor.code", str(int(any(check["status"] == "fail" for check in checks))))

    def _write(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text, encoding="utf-8")

    @property
    def asked(self) -> list[str]:
        """What Docker was asked to change, in order."""
        asked = (self._directory / "asked").read_text(encoding="utf-8").splitlines()
        questions = ("compose version", "compose ps", "compose --profile", "inspect", "image inspect", "logs")
        return [line for line in asked if not line.startswith(questions)]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    docker = tmp_path / "docker"
    docker.write_text(FAKE_DOCKER, encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setattr(deploy, "revision_here", lambda: "def456")
    monkeypatch.setattr(exchange, "ASK_EVERY", 0.01)
    monkeypatch.setattr(deploy, "ASK_EVERY", 0.01)
    return Server(tmp_path)


Deploy = Callable[..., tuple[int, str]]


@pytest.fixture
def make_deploy(server: Server, capfd: pytest.CaptureFixture[str]) -> Deploy:
    def run(*arguments: str) -> tuple[int, str]:
        code = deploy.main([*arguments, "--within", "0.05"])
        return code, capfd.readouterr().out

    return run


DOCTOR = "compose run --rm -T --build manage doctor --json"
BUILD = "compose build"
MIGRATE = "compose run --rm -T migrate"
UP = "compose up --detach --remove-orphans"
TAGS = ["tag outreach:next outreach:latest", "tag outreach-edge:next outreach-edge:latest"]
READY = [
    "compose exec -T hooks python deploy/probe.py http http://127.0.0.1:8001/hooks/readyz",
    "compose exec -T web python deploy/probe.py http http://127.0.0.1:8000/readyz",
    "compose exec -T caddy caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile",
]
KEEP = "tag outreach:latest outreach:def456"


class TestTheFirstDeployment:
    def test_goes_from_doctor_to_ready(self, server: Server, make_deploy: Deploy) -> None:
        code, said = make_deploy()
        assert server.asked == [DOCTOR, BUILD, MIGRATE, *TAGS, UP, *READY, KEEP, DOCTOR]
        assert code == 0
        assert "LIVE: revision def456 runs." in said
        assert "https://admin.example.org/admin/" in said
        assert "https://calls.example.org/hooks/" in said
        assert "createsuperuser" in said

    def test_is_not_stopped_by_what_can_only_be_well_later(self, server: Server, make_deploy: Deploy) -> None:
        not_yet = {**WELL, "status": "fail", "name": "public.address", "area": "public"}
        server.doctor_finds(not_yet, {**WELL, "status": "fail", "name": "local.migrations"})
        assert make_deploy()[0] == 0
        assert UP in server.asked


class TestADeployment:
    @pytest.fixture(autouse=True)
    def _runs(self, server: Server) -> None:
        server.runs()

    def test_exchanges_what_runs_and_lets_the_old_alex_finish(
        self, server: Server, make_deploy: Deploy
    ) -> None:
        code, said = make_deploy()
        beside = "compose up --detach --no-deps --no-recreate --scale"
        rest = "compose up --detach --no-deps web recorder worker ops flower beat caddy"
        asked = server.asked
        assert code == 0
        assert asked[: len(TAGS) + 3] == [DOCTOR, BUILD, MIGRATE, *TAGS]
        assert asked[5:9] == [
            f"{beside} hooks=2 hooks",
            "stop -t 20 old-hooks",
            "rm old-hooks",
            f"{beside} agentworker=2 agentworker",
        ]
        # Both at once: nobody waits eleven minutes with half of everything old.
        assert set(asked[9:11]) == {"stop -t 750 old-agentworker", rest}
        assert asked[11:] == ["rm old-agentworker", UP, *READY, KEEP]
        assert 'Roll back: make deploy ARGS="--to abc123"' in said

    @pytest.mark.parametrize(
        ("fails", "last"),
        [("compose build", BUILD), ("run --rm -T migrate", MIGRATE)],
    )
    def test_stops_before_up_when_a_step_fails(
        self, server: Server, make_deploy: Deploy, fails: str, last: str
    ) -> None:
        server.set(fails=fails)
        code, _said = make_deploy()
        assert code == 1
        assert server.asked[-1] == last

    def test_stops_at_once_when_doctor_finds_something(self, server: Server, make_deploy: Deploy) -> None:
        trial = {"name": "twilio.account", "area": "twilio", "status": "fail", "finding": "A trial account."}
        server.doctor_finds(WELL, {**trial, "remedy": "Upgrade it.", "page": "https://example.org"})
        code, said = make_deploy()
        assert (code, server.asked) == (1, [DOCTOR])
        assert "FAIL  twilio.account: A trial account." in said
        assert "→ Upgrade it." in said

    def test_asks_for_a_reachable_address_when_it_should_be_one(
        self, server: Server, make_deploy: Deploy
    ) -> None:
        server.doctor_finds({**WELL, "status": "fail", "name": "public.address", "area": "public"})
        assert make_deploy()[0] == 1
        assert server.asked == [DOCTOR]

    def test_says_when_doctor_could_not_look(self, server: Server, make_deploy: Deploy) -> None:
        server.set(fails="doctor --json")
        code, said = make_deploy()
        assert (code, server.asked) == (1, [DOCTOR])
        assert "Doctor could not look: it broke" in said

    def test_lets_the_old_go_on_when_the_new_does_not_get_well(
        self, server: Server, make_deploy: Deploy
    ) -> None:
        server.set(health="starting")
        code, said = make_deploy()
        asked = server.asked
        assert code == 1
        assert asked[-3:] == ["stop -t 10 new-hooks", "rm new-hooks", "tag outreach:abc123 outreach:latest"]
        assert not [line for line in asked if "old-" in line]
        assert "The old goes on." in said

    def test_says_what_is_not_ready(self, server: Server, make_deploy: Deploy) -> None:
        server.set(fails="exec -T web")
        code, said = make_deploy()
        assert code == 1
        assert "web is not ready" in said


class TestGoingBack:
    def test_takes_an_earlier_image_and_leaves_the_tables(self, server: Server, make_deploy: Deploy) -> None:
        server.runs()
        code, _said = make_deploy("--to", "abc123")
        asked = server.asked
        assert code == 0
        assert asked[:2] == ["tag outreach:abc123 outreach:next", TAGS[0]]
        assert not {DOCTOR, BUILD, MIGRATE} & set(asked)
        assert UP in asked

    def test_needs_an_image_that_is_there(self, server: Server, make_deploy: Deploy) -> None:
        server.set(fails="image inspect")
        code, said = make_deploy("--to", "nowhere")
        assert (code, server.asked) == (1, [])
        assert "docker image ls outreach" in said


class TestTheAddresses:
    @pytest.mark.parametrize(
        ("changed", "advice"),
        [
            ({"PUBLIC_BASE_URL": "https://admin.example.org"}, "give the admin one of its own"),
            ({"ADMIN_BASE_URL": "http://admin.example.org"}, "must be an https address"),
        ],
    )
    def test_must_be_two_names_under_https(
        self, server: Server, make_deploy: Deploy, changed: dict[str, str], advice: str
    ) -> None:
        server.set(config=SETTINGS | changed)
        code, said = make_deploy()
        assert (code, server.asked) == (1, [])
        assert advice in said

    def test_are_asked_for_by_name_when_env_lacks_them(self, server: Server, make_deploy: Deploy) -> None:
        server.set(fails="config --format json")
        code, said = make_deploy()
        assert code == 1
        assert "docker-compose.yml cannot be used: it broke" in said


def test_knows_doctors_names() -> None:
    assert set(AREAS) >= deploy.NEEDS_US
    assert {check.name for check in CHECKS} >= deploy.MENDED_BY_MIGRATE


@pytest.mark.parametrize(("written", "seconds"), [("12m30s", 750), ("20s", 20), ("1h", 3600), ("2m0s", 120)])
def test_reads_durations_as_compose_writes_them(written: str, seconds: int) -> None:
    assert exchange.seconds(written) == seconds


def test_every_service_is_either_exchanged_or_restarted_or_no_process_of_ours() -> None:
    described: Any = SERVICES.keys() - {"postgres", "valkey", "migrate", "manage"}
    selfhosted = {name for name in described if "profiles" in SERVICES[name]}
    assert described - selfhosted == {exchange.HOOKS, exchange.ALEX, *exchange.RESTARTED}
