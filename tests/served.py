"""Web applications of the sandbox on sockets, in a loop and a thread of their own, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


@dataclass
class Loop:
    """An event loop in a thread; `serve` puts an application on a free port."""

    loop: asyncio.AbstractEventLoop
    _runners: list[web.AppRunner] = field(default_factory=list)

    def do(self, work: Callable[[], T]) -> T:
        """Run `work` in the loop, where what is served lives, and return its result."""

        async def run() -> T:
            return work()

        return self.wait_for(run())

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def serve(self, build: Callable[[], web.Application], *, port: int = 0) -> str:
        """Serve the application that `build` makes inside the loop; return its address."""

        async def start() -> str:
            runner = web.AppRunner(build(), access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", port).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        return self.wait_for(start())

    async def close(self) -> None:
        """Stop serving, the last first."""
        for runner in reversed(self._runners):
            await runner.cleanup()


@contextmanager
def a_loop() -> Iterator[Loop]:
    """Run an event loop in a thread, and close what it served."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    served = Loop(loop)
    try:
        yield served
    finally:
        served.wait_for(served.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
