"""An operator's browser without its window: logged in, it opens pages, presses buttons and uploads a file."""

from __future__ import annotations

import http.client
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from django.contrib.auth import get_user_model
from django.test import Client

_BOUNDARY = "a-list-of-people"
_PLAIN_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Browser:
    """Somebody who may do everything, at a web process on this machine. One connection per request."""

    def __init__(self, port: int) -> None:
        """Log in by a session of our own: passwords are not what is measured."""
        self.user = get_user_model().objects.create_superuser("benchmark", password=None)
        client = Client()
        client.force_login(self.user)
        session = client.cookies["sessionid"].value
        token = "c" * 32
        self._port = port
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={token}", "X-CSRFToken": token,
            "Host": f"127.0.0.1:{port}", "Referer": f"http://127.0.0.1:{port}/",
        }  # fmt: skip

    def send_key(self, key: str) -> None:
        """Send the key of an API token with every request from now on."""
        self._headers["Authorization"] = f"Bearer {key}"

    def read(self, path: str) -> str:
        """Open a page and return all of it.

        :raises RuntimeError: when it is not shown.
        """
        status, _location, page = self._ask("GET", path, None, {})
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}")
        return page.decode()

    def post(self, path: str) -> str:
        """Press a button; return where it leads.

        :raises RuntimeError: when it leads nowhere.
        """
        status, location, _page = self._ask("POST", path, b"", _PLAIN_FORM)
        if status != http.client.FOUND:
            raise RuntimeError(f"{path} answered {status}")
        return location

    def upload(self, path: Path, campaign_id: int) -> tuple[int, float]:
        """Upload a list; return its batch and the seconds that took.

        :raises RuntimeError: when it is refused.
        """
        with tempfile.TemporaryFile() as body:
            for name, value in (("campaign", str(campaign_id)), ("known", "skip")):
                body.write(_part(f'name="{name}"') + value.encode() + b"\r\n")
            body.write(_part('name="file"; filename="people.csv"') + path.read_bytes())
            body.write(f"\r\n--{_BOUNDARY}--\r\n".encode())
            size = body.tell()
            body.seek(0)
            headers = {
                "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "Content-Length": str(size),
            }  # fmt: skip
            began = time.perf_counter()
            status, location, _page = self._ask("POST", "/admin/outreach/facilitator/upload/", body, headers)
        if status != http.client.FOUND:
            raise RuntimeError(f"the upload was answered {status}")
        return int(location.strip("/").split("/")[-2]), time.perf_counter() - began

    def _ask(
        self, method: str, path: str, body: bytes | BinaryIO | None, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            link.request(method, path, body=body, headers=self._headers | headers)
            answer = link.getresponse()
            page = answer.read()
            return answer.status, answer.headers.get("Location", ""), page
        finally:
            link.close()


def _part(disposition: str) -> bytes:
    return f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
