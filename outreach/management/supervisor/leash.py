"""Run one program so that nothing it ever starts outlives whoever holds the leash.

Started as a script of its own, by path, under `python -I -S`: standard library only. Standard input is
the leash: a pipe whose other end only the holder has, so that its end is seen even after SIGKILL.
Signals: TERM stops the program gently and kills what is left after the grace; QUIT kills at once.
The program's process id is written to the report descriptor; the exit code is the program's own
(128 + n when signal n ended it).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

#: Seconds that a program gets to stop when the holder is gone: no one is left to wait for more.
ORPHAN_GRACE = 5.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the program named after `--` until it ends, is stopped, or the holder is gone."""
    arguments = _arguments()
    wake = _wake_on_signals()
    orders: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda received, _frame: orders.append(received))
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    program = _start(arguments)
    with contextlib.suppress(OSError):
        os.write(arguments.report_fd, f"{program.pid}\n".encode())
    os.close(arguments.report_fd)
    _watch(program, orders=orders, wake=wake, stop_signal=arguments.stop_signal, grace=arguments.grace)
    _kill_what_is_left(program.pid)
    code = program.returncode
    return 128 - code if code < 0 else code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report-fd", type=int, required=True)
    parser.add_argument("--stop-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--user", default="")
    parser.add_argument("argv", nargs="+")
    return parser.parse_args()


def _wake_on_signals() -> int:
    """Return a descriptor that becomes readable with every signal, so that no wait misses one."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _noticed)
    return reader


def _noticed(_number: int, _frame: FrameType | None) -> None:
    """Take SIGCHLD: its only use is to wake the wait."""


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _start(arguments: argparse.Namespace) -> subprocess.Popen[bytes]:
    def die_with_the_leash() -> None:
        # Runs after the change of user, which would clear it.
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    user = arguments.user or None
    return subprocess.Popen(
        arguments.argv,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_the_leash,  # one thread here: nothing can deadlock
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )


def _watch(
    program: subprocess.Popen[bytes], *, orders: list[int], wake: int, stop_signal: int, grace: float
) -> None:
    """Wait for the program's end; pass orders on; kill it when its grace is over."""
    holder: int | None = sys.stdin.fileno()
    kill_at: float | None = None
    while program.poll() is None:
        waited_for = [wake] if holder is None else [wake, holder]
        timeout = None if kill_at is None else max(0.0, kill_at - time.monotonic())
        readable, _, _ = select.select(waited_for, [], [], timeout)
        if wake in readable:
            os.read(wake, 4096)
        if holder in readable and holder is not None and not os.read(holder, 4096):
            holder = None
            program.send_signal(stop_signal)
            kill_at = time.monotonic() + min(grace, ORPHAN_GRACE)
        _reap_strangers(program)
        while orders and program.poll() is None:
            if orders.pop(0) == signal.SIGQUIT:
                kill_at = 0.0
            elif kill_at is None:
                program.send_signal(stop_signal)
                kill_at = time.monotonic() + grace
        if kill_at is not None and kill_at <= time.monotonic() and program.poll() is None:
            program.kill()


def _reap_strangers(program: subprocess.Popen[bytes]) -> None:
    """Collect the dead among what the program left to us, so that none stays a zombie."""
    for pid in _children():
        if pid != program.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _kill_what_is_left(group: int) -> None:
    """Kill the program's own group and everything of it that was handed to us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    while children := _children():
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Return the ids of our direct children; where /proc does not tell, none."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
