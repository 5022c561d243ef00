"""What the commands that start everything decide before Django reads its settings.

`manage.py` calls `enter_environment` first: which data, which ports, which servers, and from these
the environment that the settings of this process and of every child are read from.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import environ

from outreach.domain.dialing_mode import DialingMode
from outreach.management.commands._own_servers import DATABASE, own_servers, postgres_data
from outreach.management.commands._voices import enter_voices
from outreach.management.joining import publish
from outreach.management.supervisor import environment as environments
from outreach.management.supervisor import programs
from outreach.management.supervisor.ports import Ports, free_ports, taken
from outreach.management.supervisor.stack import Stack
from outreach.management.supervisor.state import DataInUse, kept_secrets, locked
from outreach.management.supervisor.tunnel import NoTunnel, Tunnel, open_tunnel
from sandbox import servers
from sandbox.servers import Server, ServerError

BASE = Path(__file__).resolve().parents[3]
GIVEN_BY = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
#: All that a throw-away rehearsal takes over from the environment it is started in.
_KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TERM"),
    *("DJANGO_SETTINGS_MODULE", "OUTREACH_STARTED_AT"),
)


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What was decided. `held` keeps the lock on the data; closing it lets go, and cleans up."""

    directory: Path
    ports: Ports
    servers: tuple[Server, ...]
    rehearsal: bool
    held: ExitStack
    notices: tuple[str, ...] = ()
    tunnel: Tunnel | None = None
    livekit: Server | None = None
    """A real room server, in a rehearsal with real audio."""

    @property
    def cut_off(self) -> bool:
        """Whether there was a tunnel and it has ended: nobody outside reaches us any more."""
        return self.tunnel is not None and self.tunnel.has_ended


class Refused(Exception):
    """Starting makes no sense; the message says why."""


_entered: list[Entered] = []


def entered() -> Entered | None:
    """Return what was decided for this process, if it was started by `manage.py up` or `rehearse`."""
    return _entered[-1] if _entered else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `up`, for whoever reads them first."""
    parser.add_argument("--data", type=Path, help="where everything is kept (default: .state/up)")
    parser.add_argument("--no-sample", action="store_true", help="rehearsal: load nobody, start no campaign")
    parser.add_argument(
        "--tunnel", action="store_true", help="let the world reach the hooks: ngrok or cloudflared on PATH"
    )
    parser.add_argument(
        "--voice", action="store_true", help="rehearsal: real audio in a real livekit-server (make livekit)"
    )
    parser.add_argument("--people", type=int, help="rehearsal: load only the first N people of the sample")
    for field in fields(Ports):
        parser.add_argument(
            f"--port-{field.name}",
            type=int,
            default=field.default,
            metavar="N",
            help=f"default {field.default}",
        )


def enter_environment(command: str, arguments: Sequence[str]) -> None:
    """Set the environment that Django's settings will read, for `up` or `rehearse`.

    Ends the process with a sentence when another run holds the data or somebody holds a port.
    """
    try:
        if {"-h", "--help"} & set(arguments):
            _enter_for_help()
        elif command == "rehearse":
            _entered.append(enter_throw_away())
        else:
            _entered.append(_enter(arguments))
    except (DataInUse, ServerError, Refused, NoTunnel) as refusal:
        sys.exit(str(refusal))


def enter_throw_away(*, careless: bool = True) -> Entered:
    """Enter an environment that nothing outside has a say in: fresh servers, free ports, no `.env`.

    :param careless: let PostgreSQL not wait for the disk.
    """
    directory = Path(tempfile.mkdtemp(prefix="outreach-rehearsal-"))
    directory.chmod(0o755)
    held = ExitStack()
    held.callback(shutil.rmtree, directory, ignore_errors=True)
    ports = free_ports()
    made = kept_secrets(directory, rehearsal=True)
    started = (
        servers.postgres(
            data=directory / "postgres", port=ports.postgres, database=DATABASE, careless=careless
        ),
        # Not careless: a rehearsal kills it, and what it had taken must be there again.
        servers.valkey(data=directory / "valkey", port=ports.valkey),
    )
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | {"OUTREACH_IGNORE_DOTENV": "1"})
    decided = Entered(directory=directory, ports=ports, servers=started, rehearsal=True, held=held)
    _set(decided, made)
    return decided


def _enter(arguments: Sequence[str]) -> Entered:
    if not os.environ.get("OUTREACH_IGNORE_DOTENV"):
        environ.Env.read_env(BASE / ".env")
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)
    mode = os.environ.get("DIALING") or DialingMode.REHEARSAL.value
    rehearsal = mode == DialingMode.REHEARSAL.value
    if options.voice and not rehearsal:
        raise Refused("--voice is a rehearsal's: in any other mode, calls have real audio anyway.")
    directory = (options.data or BASE / ".state" / ("up" if rehearsal else f"up-{mode}")).resolve()
    ports = Ports(**{field.name: getattr(options, f"port_{field.name}") for field in fields(Ports)})
    held = ExitStack()
    held.enter_context(locked(directory))
    brought = {server for server, variable in GIVEN_BY.items() if os.environ.get(variable, "").strip()}
    unused = (
        brought
        | (set() if options.voice else {"media"})
        | (set() if rehearsal else {"twilio", "livekit", "groq"})
    )
    if problems := taken(ports, unused=frozenset(unused)):
        raise Refused("\n".join(problems))
    tunnel = _tunnel(ports.hooks, directory, held, rehearsal=rehearsal) if options.tunnel else None
    decided = Entered(
        directory=directory,
        ports=ports,
        servers=own_servers(directory, ports=ports, brought=brought),
        rehearsal=rehearsal,
        held=held,
        notices=tuple(_notices(directory, brought=brought, rehearsal=rehearsal)),
        tunnel=tunnel,
    )
    made = kept_secrets(directory, rehearsal=rehearsal)
    _set(decided, made)
    if options.voice:
        decided = replace(decided, livekit=enter_voices(directory=directory, ports=ports))
    return decided


def _notices(directory: Path, *, brought: set[str], rehearsal: bool) -> Iterator[str]:
    """Yield what an operator should know before anything starts."""
    if "postgres" not in brought and (place := postgres_data(directory).parent) != directory:
        user = servers.UNPRIVILEGED_USER
        yield f"PostgreSQL's data is in {place}: its user {user} cannot enter {directory}."
    if rehearsal and (names := environments.left_alone(os.environ)):
        yield f"A rehearsal brings its own outside world, so these are not used: {', '.join(names)}."


def _tunnel(port: int, directory: Path, held: ExitStack, *, rehearsal: bool) -> Tunnel:
    """Open a tunnel to the hooks and let its address be ours for this run."""
    if rehearsal:
        raise Refused("A rehearsal needs no tunnel: nobody outside calls it. Set DIALING=test or live first.")
    tunnel = open_tunnel(port=port, log=directory / "logs" / "tunnel.log")
    held.callback(tunnel.close)
    os.environ["PUBLIC_BASE_URL"] = tunnel.address
    return tunnel


def start_stores(stack: Stack, decided: Entered) -> None:
    """Start the database servers that we bring, and return when they answer."""
    for server in decided.servers:
        stack.start([programs.store(server, environment=os.environ)])
    for server in decided.servers:
        servers.wait_until_ready(server)
        if server.name == "postgres":
            servers.create_database(server)


def _set(decided: Entered, made: dict[str, str]) -> None:
    for server in decided.servers:
        os.environ[GIVEN_BY[server.name]] = server.url
    where = {"ports": decided.ports, "secrets": made, "directory": decided.directory}
    os.environ.update(environments.on_this_machine(**where))  # type: ignore[arg-type]
    if decided.rehearsal:
        os.environ.update(environments.of_a_rehearsal(**where))  # type: ignore[arg-type]
    os.environ.update(environments.own_secrets(secrets=made, given=os.environ))
    publish(decided.directory, _published(rehearsal=decided.rehearsal, **where))


def _published(*, rehearsal: bool, **where: Any) -> set[str]:
    """Return the variables that another terminal needs to work beside us."""
    ours = {
        *GIVEN_BY.values(),
        *environments.OWN_SECRETS,
        "PUBLIC_BASE_URL",
        *environments.on_this_machine(**where),
    }
    if rehearsal:
        ours |= environments.of_a_rehearsal(**where).keys()
    return ours & os.environ.keys()


def _enter_for_help() -> None:
    with tempfile.TemporaryDirectory() as nowhere:
        made = kept_secrets(Path(nowhere), rehearsal=True)
    os.environ.update(environments.of_a_rehearsal(ports=Ports(), secrets=made, directory=BASE))
    os.environ.setdefault("DATABASE_URL", "postgres://127.0.0.1/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
