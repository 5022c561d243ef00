"""The one door to Docker: its command line, as whoever deploys may use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REVISION_LABEL = '{{index .Config.Labels "org.opencontainers.image.revision"}}'
HEALTH = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}"


class Failed(Exception):
    """A step failed; the sentence says what that means and what to do."""


class Docker:
    """Docker and its compose plugin, asked in this directory."""

    def __init__(self, *, release: str = "latest", revision: str = "unknown") -> None:
        """Prepare to ask; `release` is the images' tag and `revision` the source that a build is named by."""
        self._environment = {**os.environ, "RELEASE": release, "REVISION": revision}

    def require(self) -> None:
        """Make sure that there is a Docker that can be asked.

        :raises Failed: with what to install or start.
        """
        if shutil.which("docker") is None:
            raise Failed("There is no docker on the PATH: https://docs.docker.com/engine/install/")
        if self.tell("compose", "version").returncode:
            raise Failed("Docker has no compose plugin: https://docs.docker.com/compose/install/linux/")

    def run(self, *arguments: str, otherwise: str) -> None:
        """Run one command, whose output is shown.

        :raises Failed: with the sentence `otherwise` when it fails.
        """
        if subprocess.run(_argv(arguments), cwd=ROOT, env=self._environment, check=False).returncode:
            raise Failed(otherwise)

    def tell(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command in silence and return how it went, with what it said."""
        return subprocess.run(
            _argv(arguments), cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that somebody else waits for."""
        return subprocess.Popen(_argv(arguments), cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)

    def configuration(self) -> Mapping[str, Any]:
        """Return the compose file with `.env` filled in.

        :raises Failed: when something is missing; compose's own sentence names it.
        """
        told = self.tell("compose", "--profile", "*", "config", "--format", "json")
        if told.returncode:
            raise Failed(f"docker-compose.yml cannot be used: {told.stderr.strip()}")
        configuration: Mapping[str, Any] = json.loads(told.stdout)
        return configuration

    def containers(self, service: str) -> list[str]:
        """Return the ids of the running containers of a service."""
        return self.tell("compose", "ps", "--quiet", "--status", "running", service).stdout.split()

    def revision_of(self, container: str) -> str:
        """Return the revision whose code a container runs; "" where that is unknown."""
        return self.tell("inspect", "--format", REVISION_LABEL, container).stdout.strip()

    def is_well(self, container: str) -> bool:
        """Tell whether a container's own health check succeeds."""
        return self.tell("inspect", "--format", HEALTH, container).stdout.strip() == "healthy"


def _argv(arguments: Sequence[str]) -> list[str]:
    return ["docker", *arguments]
