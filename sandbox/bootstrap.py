"""Set a bare machine up and run one command: `python3 sandbox/bootstrap.py up` (test, check, …).

Standard library only, and parsed by any Python 3, so that a wrong version gets a sentence instead of
a traceback. Installs the locked requirements into `.venv` when they changed, and otherwise needs no network.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WANTED = (3, 11)
RUN_TIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")
#: The whole suite, in two processes: half of it waits for servers.
SIDE_BY_SIDE = ("-n", "2", "--dist", "worksteal")

UV_VERSION = "0.13.9"
#: SHA-256 of its wheel for each platform that the servers' wheels exist for.
UV_WHEELS = {
    "Linux x86_64": "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    "Linux aarch64": "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    "Darwin x86_64": "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    "Darwin arm64": "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
}


class CannotSetUp(Exception):
    """Setting up failed; the sentence says what to do."""


def main(arguments: list[str]) -> int:
    """Run the command named first in `arguments`; the others are passed on to it."""
    commands = {"up": up, "test": test, "check": check, "format": reformat, "lock": lock}
    commands |= {"livekit": livekit, "test-voice": test_voice, "bench": bench}
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
    wanted, have = ".".join(map(str, WANTED)), platform.python_version()
    found = shutil.which(f"python{wanted}")
    if found is None:
        say(f"Outreach needs Python {wanted}; this is {have}, and there is no python{wanted} on the PATH.")
        say(f"On Debian 12: apt install python{wanted}")
        return 1
    become(found, __file__, *arguments)


def up(arguments: list[str]) -> int:
    """Install what running needs, then start everything; with voices, those and the server for them."""
    install(DEVELOPMENT if "--voice" in arguments else RUN_TIME)
    if "--voice" in arguments:
        get_livekit()
    become(str(PYTHON), "manage.py", "up", *arguments)


def test(arguments: list[str]) -> int:
    """Install what testing needs, then run the tests."""
    install(DEVELOPMENT)
    if shutil.which("chromium") is None:
        ask_debian_for_chromium()
    become(str(PYTHON), "-m", "pytest", *(arguments or SIDE_BY_SIDE))


def bench(arguments: list[str]) -> int:
    """Install what running needs, then run every benchmark; with names, only those."""
    install(RUN_TIME)
    become(str(PYTHON), "-m", "benchmarks", *arguments)


def livekit(_arguments: list[str]) -> int:
    """Get livekit-server: from the PATH, or built once with Go."""
    become(sys.executable, "-m", "sandbox.livekit_build")


def test_voice(arguments: list[str]) -> int:
    """Install what testing needs, get livekit-server, then call people with real audio."""
    install(DEVELOPMENT)
    get_livekit()
    become(str(PYTHON), "-m", "pytest", "tests/voice", *arguments)


def get_livekit() -> None:
    """Have livekit-server on this machine."""
    if subprocess.run([sys.executable, "-m", "sandbox.livekit_build"], check=False).returncode:
        raise CannotSetUp("Without livekit-server there is no real audio: see above.")


def check(arguments: list[str]) -> int:
    """Install what checking needs, then run every check; with names, only those."""
    install(DEVELOPMENT)
    become(str(PYTHON), "-m", "sandbox.checking", *arguments)


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
        command = [uv(), "pip", "install", "--python", str(PYTHON), "--quiet", *index_of_pip()]
    except CannotSetUp as problem:
        say(f"{problem} Going on with pip, which takes longer.")
        command = [*pip(), "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, "--require-hashes", *files], check=False).returncode:
        raise CannotSetUp("The requirements could not be installed: see above. This needs the network once.")
    for old in VENV.glob(".installed-*"):
        old.unlink()
    (VENV / f".installed-{wanted}").touch()
    say(f"Installed in {time.monotonic() - started:.1f} s.")


def index_of_pip() -> list[str]:
    """Return uv's option for the package index that pip is told to use; uv does not read pip's variable."""
    index = os.environ.get("PIP_INDEX_URL", "")
    return ["--default-index", index] if index and "UV_DEFAULT_INDEX" not in os.environ else []


def digest(requirements: tuple[str, ...]) -> str:
    """Return a short hash over the contents of `requirements`."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in requirements)).hexdigest()[:16]


def make_venv() -> None:
    """Create `.venv` without pip: Debian ships Python without what pip in it would need."""
    say("Creating .venv …")
    command = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode or not PYTHON.exists():
        raise CannotSetUp(f"Python's venv failed: {made.stderr.strip()}\nOn Debian: apt install python3-venv")


def uv() -> str:
    """Return the path of the pinned uv, kept from an earlier clone or installed from its wheel.

    :raises CannotSetUp: when it can neither be found nor installed.
    """
    kept = cache() / f"uv-{UV_VERSION}"
    if not (kept / "bin" / "uv").exists():
        install_uv(kept)
    return str(kept / "bin" / "uv")


def cache() -> Path:
    """Return where tools are kept for every clone of this user's."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outreach"


def install_uv(target: Path) -> None:
    """Put uv's wheel into `target`, whole or not at all; pip proves that it is the pinned one."""
    sha256 = UV_WHEELS.get(machine(), "")
    if not sha256:
        raise CannotSetUp(f"There is no wheel of uv for {machine()}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        pinned = Path(place, "uv.txt")
        pinned.write_text(f"uv=={UV_VERSION} --hash=sha256:{sha256}\n", encoding="utf-8")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        options += ["--require-hashes", "--target", str(Path(place, "uv")), "-r", str(pinned)]
        if subprocess.run([*pip(), "install", *options], check=False).returncode:
            raise CannotSetUp("uv could not be installed: see above.")
        shutil.rmtree(target, ignore_errors=True)
        Path(place, "uv").rename(target)


def machine() -> str:
    """Return what a wheel is built for, e.g. "Linux x86_64"."""
    return f"{platform.system()} {platform.machine()}"


def pip() -> list[str]:
    """Return the command of a pip that works: this Python's own, or one put into `.venv`."""
    for python in (sys.executable, str(PYTHON)):
        if runs(python, "-m", "pip", "--version"):
            return [python, "-m", "pip"]
    if not runs(str(PYTHON), "-m", "ensurepip") and not (
        ask_debian_for_ensurepip() and runs(str(PYTHON), "-m", "ensurepip")
    ):
        raise CannotSetUp("There is no pip. On Debian: apt install python3-venv, then start again.")
    return [str(PYTHON), "-m", "pip"]


def ask_debian_for_ensurepip() -> bool:
    """Install what Debian leaves out of its Python, where we may; return whether that was done."""
    return ask_debian("python3-venv", "Installing python3-venv: Debian's Python comes without pip …")


def ask_debian_for_chromium() -> bool:
    """Install the browser of the tests, where we may; where we may not, those tests say that they skip."""
    return ask_debian("chromium", "Installing chromium, for the tests in a browser …")


def ask_debian(package: str, sentence: str) -> bool:
    """Say so and install a package, where there is apt and we are root; return whether that was done."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    say(sentence)
    return runs(apt, "update") and runs(apt, "install", "--yes", "--no-install-recommends", package)


def runs(*command: str) -> bool:
    """Run `command` in silence and return whether it succeeded."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def become(program: str, *arguments: str) -> NoReturn:
    """Go on as `program`, so that signals reach it and nobody else."""
    sys.stdout.flush()
    os.execv(program, [program, *arguments])  # noqa: S606


def say(sentence: str) -> None:
    """Print one line at once, in order with what the children print."""
    print(sentence, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
