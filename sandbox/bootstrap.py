"""Set a bare machine up and run one command: `python3 sandbox/bootstrap.py up` (test, check, format, lock).

Standard library only, and parsed by any Python 3, so that a wrong version gets a sentence instead of
a traceback. Installs the locked requirements into `.venv` when they changed, and otherwise needs no network.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WANTED = (3, 11)
RUN_TIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")

UV_VERSION = "0.13.9"
#: SHA-256 of its wheel for each platform that the servers' wheels exist for.
UV_WHEELS = {
    "Linux x86_64": "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    "Linux aarch64": "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    "Darwin x86_64": "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    "Darwin arm64": "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
}

CHECKS = (
    ("formatting", ("-m", "ruff", "format", "--check", ".")),
    ("lint", ("-m", "ruff", "check", ".")),
    ("types", ("-m", "mypy", ".")),
    ("imports", ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")),
    ("Django's checks", ("-m", "tests.embedded")),
)


class CannotSetUp(Exception):
    """Setting up failed; the sentence says what to do."""


def main(arguments: list[str]) -> int:
    """Run the command named first in `arguments`; the others are passed on to it."""
    commands = {"up": up, "test": test, "check": check, "format": reformat, "lock": lock}
    if not arguments or arguments[0] not in commands:
        say(f"Usage: python3 sandbox/bootstrap.py {' | '.join(commands)}")
        return 2
    os.environ.setdefault("OUTREACH_STARTED_AT", str(time.time()))
    if sys.version_info[:2] != WANTED:
        return with_wanted_python(arguments)
    os.chdir(ROOT)
    try:
        return commands[arguments[0]](arguments[1:])
    except CannotSetUp as problem:
        say(str(problem))
        return 1


def with_wanted_python(arguments: list[str]) -> int:
    """Start again under Python 3.11, or say that it is missing."""
    wanted = ".".join(map(str, WANTED))
    found = shutil.which(f"python{wanted}")
    if found is None:
        have = platform.python_version()
        say(f"Outreach needs Python {wanted}; this is {have}, and there is no python{wanted} on the PATH.")
        say(f"On Debian 12: apt install python{wanted}")
        return 1
    become(found, __file__, *arguments)


def up(arguments: list[str]) -> int:
    """Install what running needs, then start everything."""
    install(RUN_TIME)
    become(str(PYTHON), "manage.py", "up", *arguments)


def test(arguments: list[str]) -> int:
    """Install what testing needs, then run the tests."""
    install(DEVELOPMENT)
    become(str(PYTHON), "-m", "pytest", *arguments)


def check(arguments: list[str]) -> int:
    """Install what checking needs, then run every check; with names, only those."""
    install(DEVELOPMENT)
    failed = []
    for name, command in CHECKS:
        if arguments and name not in arguments:
            continue
        say(f"— {name}")
        if subprocess.run([PYTHON, *command], check=False).returncode:
            failed.append(name)
    say(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


def reformat(_arguments: list[str]) -> int:
    """Mend what ruff can mend by itself."""
    install(DEVELOPMENT)
    for command in (("check", "--fix", "--exit-zero", "--quiet"), ("format",)):
        subprocess.run([PYTHON, "-m", "ruff", *command, "."], check=True)
    return 0


def lock(arguments: list[str]) -> int:
    """Compile requirements*.txt, exact versions with hashes, from requirements*.in."""
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    options = ["--universal", "--python-version", ".".join(map(str, WANTED)), "--generate-hashes"]
    options += ["--no-annotate", "--quiet", *arguments]
    for name in DEVELOPMENT:
        source = str(Path(name).with_suffix(".in"))
        subprocess.run([uv(), "pip", "compile", *options, source, "-o", name], env=environment, check=True)
    return 0


def install(requirements: tuple[str, ...]) -> None:
    """Make `.venv` hold the locked `requirements`; nothing happens when it does already."""
    wanted = digest(requirements)
    stamps = [VENV / f".installed-{digest(chosen)}" for chosen in (requirements, DEVELOPMENT)]
    if any(stamp.exists() for stamp in stamps) and PYTHON.exists():
        return
    started = time.monotonic()
    if not PYTHON.exists():
        make_venv()
    say(f"Installing {' and '.join(requirements)} into .venv …")
    files = [part for name in requirements for part in ("-r", name)]
    try:
        command = [uv(), "pip", "install", "--python", str(PYTHON), "--quiet"]
    except CannotSetUp as problem:
        say(f"{problem} Going on with pip, which takes longer.")
        command = [*pip(), "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "--require-hashes", *files], check=False).returncode:
        raise CannotSetUp("The requirements could not be installed: see above. This needs the network once.")
    for old in VENV.glob(".installed-*"):
        old.unlink()
    (VENV / f".installed-{wanted}").touch()
    say(f"Installed in {time.monotonic() - started:.1f} s.")


def digest(requirements: tuple[str, ...]) -> str:
    """Return a short hash over the contents of `requirements`."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in requirements)).hexdigest()[:16]


def make_venv() -> None:
    """Create `.venv` without pip: Debian ships Python without what pip in it would need."""
    say("Creating .venv …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(VENV)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode or not PYTHON.exists():
        raise CannotSetUp(f"Python's venv failed: {made.stderr.strip()}\nOn Debian: apt install python3-venv")


def uv() -> str:
    """Return the path of the pinned uv, kept from an earlier clone or fetched.

    :raises CannotSetUp: when it can neither be found nor fetched.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = caches / "outreach" / f"uv-{UV_VERSION}" / "uv"
    if not kept.exists():
        unpack_uv(fetch_uv(), kept)
    return str(kept)


def fetch_uv() -> bytes:
    """Download uv's wheel from the package index and prove that it is the pinned one."""
    sha256 = UV_WHEELS.get(machine(), "")
    if not sha256:
        raise CannotSetUp(f"There is no wheel of uv for {machine()}.")
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
    page = f"{index.rstrip('/')}/uv/"
    try:
        found = re.search(f'href="([^"#]*)#sha256={sha256}', fetch(page).decode())
        if found is None:
            raise CannotSetUp(f"The package index has no uv {UV_VERSION} for {machine()}.")
        wheel = fetch(urllib.parse.urljoin(page, found.group(1)))
    except (OSError, ValueError) as error:
        raise CannotSetUp(f"uv could not be fetched ({error}).") from error
    if hashlib.sha256(wheel).hexdigest() != sha256:
        raise CannotSetUp("The fetched uv is not the pinned one, so it is not used.")
    return wheel


def machine() -> str:
    """Return what a wheel is built for, e.g. "Linux x86_64"."""
    return f"{platform.system()} {platform.machine()}"


def fetch(address: str) -> bytes:
    """Return the body behind an https address."""
    if not address.startswith("https://"):
        raise ValueError(f"not an https address: {address.split('://', maxsplit=1)[0]}")
    with urllib.request.urlopen(address, timeout=60, context=ssl.create_default_context()) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def unpack_uv(wheel: bytes, target: Path) -> None:
    """Put the program inside the wheel at `target`, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"uv.{os.getpid()}")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        draft.write_bytes(archive.read(f"uv-{UV_VERSION}.data/scripts/uv"))
    draft.chmod(0o755)
    draft.replace(target)


def pip() -> list[str]:
    """Return the command of pip in `.venv`, put there first when it is missing."""
    command = [str(PYTHON), "-m", "pip"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
        made = subprocess.run([PYTHON, "-m", "ensurepip"], capture_output=True, check=False)
        if made.returncode:
            raise CannotSetUp(
                "There is no pip either. On Debian: apt install python3-venv, then start again."
            )
    return command


def become(program: str, *arguments: str) -> NoReturn:
    """Go on as `program`, so that signals reach it and nobody else."""
    sys.stdout.flush()
    os.execv(program, [program, *arguments])  # noqa: S606


def say(sentence: str) -> None:
    """Print one line at once, in order with what the children print."""
    print(sentence, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
