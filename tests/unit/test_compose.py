"""`docker-compose.yml` and the systemd units: valid, complete, the very processes that `make up` starts."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from agentworker.settings import WorkerSettings
from deploy import probe
from outreach.domain import defaults
from outreach.domain.contracts import WORDS_GROUP, WORDS_STREAM
from outreach.management.supervisor import programs
from outreach.management.supervisor.environment import LOOPBACK
from outreach.management.supervisor.ports import Ports
from tests.unit.test_env_example import INTERNAL, read_by, shown

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
PYTHON = "/opt/outreach/.venv/bin/python"
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

#: The one list: what `make up` starts, by its name there.
MAKE_UP = {
    service.program.name: list(service.program.argv[1:])
    for service in programs.product(environment={}, ports=Ports())
}
#: Its names elsewhere, where they differ.
AGENT = {"agent": "agentworker"}
#: What `make up` does itself, before it starts anything.
MIGRATE = ["manage.py", "migrate", "--noinput"]
#: Not ours, or no process that stays.
OF_OTHERS = {"postgres", "valkey", "caddy", "rooms-valkey", "livekit-server", "livekit-sip"}
TOOLS = {"manage"}
OURS = SERVICES.keys() - OF_OTHERS
#: Set by `make deploy`, never by an operator.
OF_DEPLOY = {"RELEASE", "REVISION"}


def seconds(duration: str) -> float:
    """Return a duration of the compose file in seconds, e.g. of "12m30s"."""
    parts = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert parts is not None, duration
    minutes, rest = (int(part or 0) for part in parts.groups())
    return timedelta(minutes=minutes, seconds=rest).total_seconds()


class TestTheComposeFile:
    def test_is_valid_by_the_specification(self) -> None:
        schema = json.loads((ROOT / "tests/vendored/compose-spec.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(COMPOSE)

    def test_runs_what_make_up_starts_and_nothing_else(self) -> None:
        commands = {name: SERVICES[name]["command"] for name in OURS - TOOLS}
        expected = {
            AGENT.get(name, name): ["python", *(part.replace(LOOPBACK, "0.0.0.0") for part in argv)]  # noqa: S104
            for name, argv in MAKE_UP.items()
        }
        assert commands == expected | {"migrate": ["python", *MIGRATE]}

    def test_uses_only_variables_that_the_example_explains(self) -> None:
        asked_for = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
        passed_on = {
            name
            for service in SERVICES.values()
            for name, value in service.get("environment", {}).items()
            if value is None
        }
        assert (asked_for | passed_on) - OF_DEPLOY <= shown().keys()

    def test_tells_django_every_setting_that_it_reads(self) -> None:
        read = read_by("config/settings.py") - INTERNAL
        given = set(COMPOSE["x-settings"])
        assert read - given == set(), "name it under x-settings in docker-compose.yml"
        assert given - read == set(), "no setting of config/settings.py"
        assert all(read <= set(SERVICES[name]["environment"]) for name in OURS - {"agentworker"})

    def test_tells_alex_what_a_worker_reads_and_no_other_secret(self) -> None:
        read = read_by("agentworker/settings.py")
        given = set(SERVICES["agentworker"]["environment"])
        assert given == read - {"ALEX_LINE"}, "name it under agentworker in docker-compose.yml"

    @pytest.mark.parametrize("name", SERVICES)
    def test_runs_nothing_as_root_nor_on_a_writable_root(self, name: str) -> None:
        service = SERVICES[name]
        assert service.get("user") or service["image"].startswith("outreach")
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not {"privileged", "network_mode", "pid"} & service.keys()

    @pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate", "manage", "rooms-valkey"}))
    def test_knows_how_each_service_is_and_gives_it_time_to_stop(self, name: str) -> None:
        assert {"test", "interval", "timeout", "retries"} <= SERVICES[name]["healthcheck"].keys()
        assert "stop_grace_period" in SERVICES[name]

    @pytest.mark.parametrize("name", ["agentworker", "livekit-server", "livekit-sip"])
    def test_lets_the_longest_call_end_before_it_stops_what_carries_it(self, name: str) -> None:
        drain = WorkerSettings.drain_seconds
        assert drain > defaults.MAX_DURATION
        assert seconds(SERVICES[name]["stop_grace_period"]) > drain + 60

    @pytest.mark.parametrize("name", ["worker", "ops", "recorder"])
    def test_lets_the_longest_task_end(self, name: str) -> None:
        assert seconds(SERVICES[name]["stop_grace_period"]) > settings.CELERY_TASK_TIME_LIMIT

    def test_starts_nothing_of_ours_before_the_tables_are_made(self) -> None:
        made = {"condition": "service_completed_successfully"}
        without = {"migrate", "manage", "agentworker"}
        assert all(SERVICES[name]["depends_on"]["migrate"] == made for name in OURS - without)

    def test_stops_alex_before_what_his_calls_need(self) -> None:
        """Whoever depends on another is started after it, and stopped before it."""
        assert {"caddy", "hooks", "recorder", "valkey"} <= SERVICES["agentworker"]["depends_on"].keys()
        assert {"agentworker", "worker", "ops"} <= SERVICES["beat"]["depends_on"].keys()

    def test_publishes_only_the_door_and_what_carries_media(self) -> None:
        published = {name for name, service in SERVICES.items() if "ports" in service}
        assert published == {"caddy", "livekit-server", "livekit-sip"}

    def test_reaches_the_databases_only_from_inside(self) -> None:
        assert COMPOSE["networks"]["stores"] == {"internal": True}
        assert all(SERVICES[name]["networks"] == ["stores"] for name in ("postgres", "valkey"))
        assert SERVICES["caddy"]["networks"] == ["outside"]

    def test_mounts_no_file_that_is_not_here(self) -> None:
        mounts = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])]
        assert all((ROOT / mount).exists() for mount in mounts if mount.startswith("."))
        assert {mount for mount in mounts if not mount.startswith(".")} == COMPOSE["volumes"].keys()

    def test_can_run_more_than_one_of_all_but_beat(self) -> None:
        scaled = {name for name, service in SERVICES.items() if "scale" in service}
        assert scaled == {"hooks", "web", "worker", "recorder", "agentworker"}
        assert not any("container_name" in service for service in SERVICES.values())
        # Whoever logs in at one of them is known to all.
        assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"


class TestLiveKitOfOnesOwn:
    def test_opens_the_ports_that_its_files_name(self) -> None:
        rooms = yaml.safe_load((ROOT / "deploy/livekit.yaml").read_text(encoding="utf-8"))
        sip = yaml.safe_load((ROOT / "deploy/sip.yaml").read_text(encoding="utf-8"))
        media = {port["target"] for port in SERVICES["livekit-server"]["ports"]}
        assert media == {rooms["rtc"]["tcp_port"], rooms["rtc"]["udp_port"]}
        signalling, calls = SERVICES["livekit-sip"]["ports"]
        assert signalling["target"] == sip["sip_port"]
        assert calls == "{0}:{0}/udp".format(sip["rtp_port"])

    def test_shares_its_own_redis_and_tells_the_hooks(self) -> None:
        rooms = yaml.safe_load((ROOT / "deploy/livekit.yaml").read_text(encoding="utf-8"))
        sip = yaml.safe_load((ROOT / "deploy/sip.yaml").read_text(encoding="utf-8"))
        assert rooms["redis"] == sip["redis"] == {"address": "rooms-valkey:6379"}
        assert rooms["webhook"]["urls"] == ["http://hooks:8001/hooks/livekit"]
        assert "keys" not in rooms


class TestTheImage:
    def test_is_sent_nothing_but_what_is_named(self) -> None:
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        patterns = [line for line in lines if line and not line.startswith("#")]
        assert patterns[0] == "*"
        named = {line.removeprefix("!") for line in patterns if line.startswith("!")}
        assert not {name for name in named if name.startswith((".", "tests", "sandbox"))}
        assert all((ROOT / name).exists() for name in named)

    def test_can_read_the_settings_with_the_keys_of_its_build(self) -> None:
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        build = re.search(r"RUN (DJANGO_SECRET_KEY=.*?)\S*python manage.py collectstatic", text, re.DOTALL)
        assert build is not None
        words = shlex.split(build.group(1).replace("\\\n", " "))
        environment = dict(word.split("=", 1) for word in words) | {"OUTREACH_IGNORE_DOTENV": "1"}
        subprocess.run(
            [sys.executable, "-c", "import config.settings"], env=environment, cwd=ROOT, check=True
        )

    def test_runs_as_a_user_without_rights(self) -> None:
        stages = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
        running = {stage.split(" AS ")[1].split("\n")[0]: stage for stage in stages if " AS " in stage}
        assert "\nUSER outreach\n" in running["outreach"]
        assert "\nUSER outreach\n" in running["edge"]
        assert "requirements-dev" not in "".join(stages)


class TestTheDoor:
    TEXT = (ROOT / "deploy/caddy/Caddyfile").read_text(encoding="utf-8")

    def test_shows_nothing_of_the_operators_under_the_name_of_the_hooks(self) -> None:
        hooks, admin = (
            self.TEXT.split(f"\n{{${name}}} {{\n")[1].split("\n}\n")[0]
            for name in ("PUBLIC_BASE_URL", "ADMIN_BASE_URL")
        )
        assert re.findall(r"\{\$(\w+_UPSTREAM)", hooks) == ["HOOKS_UPSTREAM"]
        assert re.findall(r"\{\$(\w+_UPSTREAM)", admin) == ["FLOWER_UPSTREAM", "WEB_UPSTREAM"]

    def test_hides_what_only_alex_and_the_host_may_ask(self) -> None:
        assert "@inside path /hooks/agent/* /hooks/readyz" in self.TEXT


class TestTheProbe:
    def test_looks_where_the_words_are(self) -> None:
        assert (probe._STREAM, probe._GROUP) == (WORDS_STREAM, WORDS_GROUP)


class TestTheUnits:
    def test_run_what_make_up_starts_and_nothing_else(self) -> None:
        commands = {
            path.name.removeprefix("outreach-").removesuffix(".service").rstrip("@"): shlex.split(
                start.replace("%%", "%")
            )
            for path in UNITS.glob("*.service")
            for start in re.findall(r"^ExecStart=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        }
        expected = {name: [PYTHON, *argv] for name, argv in MAKE_UP.items()}
        assert commands == expected | {"migrate": [PYTHON, *MIGRATE]}

    def test_are_all_wanted_by_the_target(self) -> None:
        target = (UNITS / "outreach.target").read_text(encoding="utf-8")
        wanted = set(" ".join(re.findall(r"^Wants=(.*)$", target, re.MULTILINE)).split())
        installed = {path.name.replace("@.", "@1.") for path in UNITS.glob("*.service")}
        assert wanted == installed - {"outreach-migrate.service"}

    def test_end_no_call_by_stopping(self) -> None:
        alex = (UNITS / "outreach-agent@.service").read_text(encoding="utf-8")
        assert "KillMode=mixed" in alex
        stop = re.search(r"^TimeoutStopSec=(\d+)$", alex, re.MULTILINE)
        assert stop is not None
        assert int(stop.group(1)) == seconds(SERVICES["agentworker"]["stop_grace_period"])

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
    def test_are_valid_by_systemd(self, tmp_path: Path) -> None:
        for path in UNITS.iterdir():
            unit = path.read_text(encoding="utf-8").replace(PYTHON, sys.executable)
            (tmp_path / path.name).write_text(unit, encoding="utf-8")
        units = [path.name.replace("@.", "@1.") for path in UNITS.iterdir()]
        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (verified.returncode, verified.stderr) == (0, "")
