"""Ending streams when the process is to end: a server that is told to stop waits for every open response."""

from __future__ import annotations

import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType


def before_the_server_stops(tell: Callable[[], object]) -> None:
    """Call `tell` at a signal to end, before the handler that the server has set; without one do nothing.

    Only the main thread may set handlers; a loop in another one is somebody's test.
    """
    if current_thread() is not main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        server = signal.getsignal(number)
        if callable(server) and server is not signal.default_int_handler:
            signal.signal(number, _both(tell, server))


def _both(
    tell: Callable[[], object], server: Callable[[int, FrameType | None], object]
) -> Callable[[int, FrameType | None], None]:
    def on_signal(number: int, frame: FrameType | None) -> None:
        tell()
        server(number, frame)

    return on_signal
