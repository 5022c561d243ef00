"""A real browser, driven over its own debugging protocol: opens a page, clicks, reads, takes pictures.

Chromium's protocol over aiohttp, which is installed anyway: a driver package would add 165 MB to what
`make test` installs, for one test. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STARTS_WITHIN = 20.0
ANSWERS_WITHIN = 30.0
#: The microphone is asked for and given without a dialog; sound comes from a file or is a beep.
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    "--allow-loopback-in-peer-connection",
    *("--disable-features=MediaRouter,WebRtcHideLocalIpsWithMdns", "--remote-debugging-port=0"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)


class BrowserFailed(AssertionError):
    """The browser did not do what it was asked; the message has its own words."""


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.console: list[str] = []
        """What the page wrote to its console, and its uncaught errors."""
        self._reading = asyncio.create_task(self._read())

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and return its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWERS_WITHIN):
            message = await answer
        if "error" in message:
            raise BrowserFailed(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        result = await self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise BrowserFailed(str(result["exceptionDetails"].get("exception", result["exceptionDetails"])))
        return result["result"].get("value")

    async def open(self, address: str) -> None:
        """Open a page and return when it has loaded."""
        await self.ask("Page.navigate", url=address)
        await self.until(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")

    async def until(self, expression: str, *, seconds: float = 30.0) -> Any:
        """Return the value of an expression once it is true."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := await self.evaluate(expression)):
                    await asyncio.sleep(0.05)
                return value
        except TimeoutError as late:
            shown = await self.evaluate("document.body.innerText")
            raise BrowserFailed(f"never came true: {expression}\n{shown}\n{self.console}") from late

    async def click(self, selector: str) -> None:
        """Click what a selector finds, as a person would: it counts as their gesture."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def text(self, selector: str) -> str:
        """Return the text that a person sees there."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def picture(self, path: Path, *, width: int, height: int, dark: bool = False) -> None:
        """Write a picture of the page as it looks on a screen of this size, in the admin's theme."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.evaluate(f"document.documentElement.classList.toggle('dark', {json.dumps(dark)})")
        await asyncio.sleep(0.1)  # two frames: the page is drawn anew
        shot = await self.ask("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def _read(self) -> None:
        async for message in self._socket:
            heard = json.loads(message.data)
            if "id" in heard:
                self._answers.pop(heard["id"]).set_result(heard)
            elif heard["method"] == "Runtime.consoleAPICalled":
                said = [str(one.get("value", one.get("description"))) for one in heard["params"]["args"]]
                self.console.append(f"{heard['params']['type']}: {' '.join(said)}")
            elif heard["method"] == "Runtime.exceptionThrown":
                details = heard["params"]["exceptionDetails"]
                self.console.append(str(details.get("exception", details).get("description", details)))

    async def close(self) -> None:
        """Let go of the tab."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


@asynccontextmanager
async def a_browser(
    *, program: str, profile: Path, cookies: Sequence[dict[str, Any]] = (), microphone: Path | None = None
) -> AsyncIterator[Page]:
    """Start a browser and yield its page; both are gone afterwards.

    :param profile: an empty directory for all that the browser keeps.
    :param microphone: a WAV file that the microphone hears, again and again; a beep when there is none.
    """
    heard = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        *heard,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _debugging_port(profile)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as listed:
                tab = next(one for one in await listed.json() if one["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Network"):
                    await page.ask(f"{domain}.enable")
                for cookie in cookies:
                    await page.ask("Network.setCookie", **cookie)
                try:
                    yield page
                finally:
                    await page.close()
    finally:
        process.terminate()
        await process.wait()


async def _debugging_port(profile: Path) -> int:
    written = profile / "DevToolsActivePort"
    async with asyncio.timeout(STARTS_WITHIN):
        while not await asyncio.to_thread(lambda: written.exists() and written.read_text().strip()):
            await asyncio.sleep(0.05)
    return int((await asyncio.to_thread(written.read_text)).split()[0])
