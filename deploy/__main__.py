"""`make deploy`: doctor, build, migrate, up, and wait until everything is ready.

Standard library only, Python 3.9 or newer, since it runs on the server itself. Whatever fails before `up`
leaves everything that runs as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from deploy.docker import ROOT, Docker, Failed
from deploy.exchange import ASK_EVERY, HOOKS, Exchange

NEXT = "next"
IMAGES = ("outreach", "outreach-edge")
#: Whether each process that answers the outside is ready, asked from inside its container.
READY = {
    HOOKS: "http://127.0.0.1:8001/hooks/readyz",
    "web": "http://127.0.0.1:8000/readyz",
}
#: What doctor may find wrong now, because a later step mends it.
MENDED_BY_MIGRATE = frozenset({"local.migrations"})
#: Areas that can only be well once we run: asked afterwards at the first deployment.
NEEDS_US = frozenset({"public", "livekit"})


class Deployment:
    """One deployment, step by step."""

    def __init__(self, *, to: str, within: float) -> None:
        """Prepare it; `to` names a revision that was deployed before, "" the one that lies here."""
        self._to = to
        self._within = within
        self._revision = to or revision_here()
        self._now = Docker(revision=self._revision)
        self._next = Docker(release=NEXT, revision=self._revision)

    def run(self) -> None:
        """Take every step.

        :raises Failed: when one fails; the sentence says what it left.
        """
        self._now.require()
        services = self._now.configuration()["services"]
        addresses = addresses_in(services)
        running = self._now.containers("web") + self._now.containers(HOOKS)
        before = self._now.revision_of(running[0]) if running else ""
        if self._to:
            self._take_out_again()
        else:
            self._prepare(first=not running)
        self._put_in_place()
        step("up")
        self._up(services, before=before, first=not running)
        self._wait_until_ready()
        self._now.tell("tag", "outreach:latest", f"outreach:{self._revision}")
        if not running:
            self._doctor(pardoned=frozenset(), docker=self._now, otherwise=None)
        self._announce(addresses, before=before, first=not running)

    def _prepare(self, *, first: bool) -> None:
        """Doctor, build, migrate: nothing that runs is touched."""
        step("doctor")
        self._doctor(
            pardoned=NEEDS_US if first else frozenset(),
            docker=self._next,
            otherwise="Nothing was changed. Mend what doctor names, then start again.",
        )
        step("build")
        self._next.run("compose", "build", otherwise="The build failed: see above. Nothing was changed.")
        step("migrate")
        self._next.run(
            *("compose", "run", "--rm", "-T", "migrate"),
            otherwise="The tables could not be made: see above. What runs goes on with the old code.",
        )

    def _doctor(self, *, pardoned: frozenset[str], docker: Docker, otherwise: str | None) -> None:
        """Let doctor look at everything, from an image of this code; `pardoned` areas may be unwell."""
        told = docker.tell("compose", "run", "--rm", "-T", "--build", "manage", "doctor", "--json")
        try:
            checks = json.loads(told.stdout)["checks"]
        except (ValueError, KeyError):
            raise Failed(f"Doctor could not look: {told.stderr.strip()[-2000:]}") from None
        wrong = [check for check in checks if check["status"] == "fail"]
        for check in checks:
            if check["status"] in ("fail", "warn"):
                show(check)
        grave = [c for c in wrong if c["area"] not in pardoned and c["name"] not in MENDED_BY_MIGRATE]
        if not grave:
            say(f"{len(checks)} checks; nothing stands in the way.")
        elif otherwise is not None:
            raise Failed(otherwise)

    def _take_out_again(self) -> None:
        """Have the image of an earlier revision."""
        step(f"back to {self._to}")
        if self._now.tell("image", "inspect", f"outreach:{self._to}").returncode:
            raise Failed(f"There is no image outreach:{self._to} here. See: docker image ls outreach")
        self._now.tell("tag", f"outreach:{self._to}", f"outreach:{NEXT}")

    def _put_in_place(self) -> None:
        for image in IMAGES[: 1 if self._to else None]:
            self._now.run(
                *("tag", f"{image}:{NEXT}", f"{image}:latest"), otherwise=f"There is no image {image}:{NEXT}."
            )

    def _up(self, services: Mapping[str, Any], *, before: str, first: bool) -> None:
        exchange = Exchange(docker=self._now, services=services, say=say, within=self._within)
        try:
            if first:
                exchange.make_as_described()
            else:
                exchange.run()
        except Failed:
            # Whatever is restarted from now on, by hand or by Docker, is what ran before.
            if before:
                self._now.tell("tag", f"outreach:{before}", "outreach:latest")
            raise

    def _wait_until_ready(self) -> None:
        step("ready?")
        deadline = time.monotonic() + self._within
        for service, address in READY.items():
            ask = ("compose", "exec", "-T", service, "python", "deploy/probe.py", "http", address)
            while (told := self._now.tell(*ask)).returncode:
                if time.monotonic() > deadline:
                    raise Failed(
                        f"{service} is not ready after {self._within:.0f} s: {told.stderr.strip()}\n"
                        f"See: docker compose logs {service}"
                    )
                time.sleep(ASK_EVERY)
            say(f"{service} is ready.")
        # Its file may have changed without its container; this drops no connection.
        reload = ("caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
        if self._now.tell("compose", "exec", "-T", "caddy", *reload).returncode:
            say("Caddy did not take its file: see docker compose logs caddy. It goes on with the one before.")

    def _announce(self, addresses: Mapping[str, str], *, before: str, first: bool) -> None:
        admin = addresses["ADMIN_BASE_URL"].rstrip("/")
        say(f"\n{(addresses['DIALING'] or 'rehearsal').upper()}: revision {self._revision} runs.")
        say(f"  Admin   {admin}/admin/")
        say(f"  Flower  {admin}/flower/")
        say(f"  Hooks   {addresses['PUBLIC_BASE_URL'].rstrip('/')}/hooks/")
        if first:
            say("  A first user: docker compose run --rm manage createsuperuser")
        if before and before != self._revision:
            say(f'  Roll back: make deploy ARGS="--to {before}" (the tables stay as they are)')
        else:
            say('  Roll back a later deployment: make deploy ARGS="--to REVISION"; it says which at its end.')


def revision_here() -> str:
    """Return what names the source that lies here: git's commit, marked when files were changed since."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")  # noqa: UP017  (Python 3.9 has no UTC)
    return f"{commit}-changed" if _git("status", "--porcelain") else commit


def _git(*arguments: str) -> str:
    try:
        told = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def addresses_in(services: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the settings that decide where we are reached.

    :raises Failed: when they cannot work together.
    """
    settings: Mapping[str, str] = services["web"]["environment"]
    admin, public = (urlsplit(settings[name] or "") for name in ("ADMIN_BASE_URL", "PUBLIC_BASE_URL"))
    for name, address in (("ADMIN_BASE_URL", admin), ("PUBLIC_BASE_URL", public)):
        if address.scheme != "https" or not address.hostname:
            raise Failed(f"{name} must be an https address, for example https://admin.example.org.")
    if admin.hostname == public.hostname:
        raise Failed(
            "ADMIN_BASE_URL and PUBLIC_BASE_URL have the same host name: give the admin one of its own, so "
            "that nothing of it answers under the name that Twilio knows."
        )
    return settings


def show(check: Mapping[str, str]) -> None:
    """Print one of doctor's findings, with what to do."""
    say(f"  {'FAIL' if check['status'] == 'fail' else 'look'}  {check['name']}: {check['finding']}")
    for more in (check["remedy"], check["page"]):
        if more:
            say(f"        → {more}")


def step(name: str) -> None:
    """Print which step begins."""
    say(f"— {name}")


def say(sentence: str) -> None:
    """Print one line at once, in order with what Docker prints."""
    print(sentence, flush=True)  # noqa: T201


def main(arguments: Sequence[str]) -> int:
    """Deploy what `arguments` say and return the exit code."""
    parser = argparse.ArgumentParser(prog="make deploy", description="Deploy on this server, with Docker.")
    parser.add_argument(
        "--to", default="", metavar="REVISION", help="go back: no doctor, no build, no migration"
    )
    parser.add_argument(
        "--within", type=float, default=180.0, metavar="SECONDS", help="for new processes to get well"
    )
    options = parser.parse_args(arguments)
    try:
        Deployment(to=options.to, within=options.within).run()
    except Failed as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("Stopped. `make deploy` again goes on from where it is; docker compose ps shows what runs.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
