"""A carrier on a socket: just enough of Twilio's REST API to see what is sent and to answer anything."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 2
"""Calls per page, so that a short list has several."""


@dataclass(kw_only=True)
class Answer:
    """What to answer instead of the usual."""

    status: int = 500
    body: bytes = b"<html>oops</html>"
    places: bool = False
    """Whether the call is placed all the same."""
    hang_up: bool = False
    """Close the connection without an answer."""


@dataclass(kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    authorization: str


@dataclass(kw_only=True)
class CarrierStub:
    """State behind the socket; use as a context manager."""

    seen: list[Seen] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    next_answer: Answer | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __enter__(self) -> CarrierStub:
        stub = self

        class Handler(_Handler):
            carrier = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def place(self, *, to: str, from_: str, direction: str = "outbound-api") -> dict[str, Any]:
        """Create one call."""
        sid = f"CA{uuid.uuid4().hex}"
        self.calls[sid] = {
            "sid": sid,
            "to": to,
            "from": from_,
            "direction": direction,
            "status": "queued",
            "date_created": format_datetime(self.now),
            "start_time": None,
            "duration": None,
        }
        return self.calls[sid]


class _Handler(BaseHTTPRequestHandler):
    carrier: CarrierStub

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"] or 0)
        form = parse_qs(self.rfile.read(length).decode(), strict_parsing=True)
        path = self._see(form)
        if self._answered_otherwise(form):
            return
        if path.endswith("/Calls.json"):
            self._send(201, self.carrier.place(to=form["To"][0], from_=form["From"][0]))
            return
        call = self.carrier.calls.get(path.rsplit("/", 1)[-1].removesuffix(".json"))
        if call is None:
            self._send(404, {"code": 20404, "message": "not found", "status": 404})
        else:
            self._end(call, form["Status"][0])

    def do_GET(self) -> None:
        path = self._see({})
        if self._answered_otherwise({}):
            return
        if path.endswith("/Calls.json"):
            self._list()
            return
        call = self.carrier.calls.get(path.rsplit("/", 1)[-1].removesuffix(".json"))
        self._send(200, call) if call else self._send(
            404, {"code": 20404, "message": "not found", "status": 404}
        )

    def log_message(self, *_args: object) -> None:
        """Keep standard error clean."""

    def _see(self, form: dict[str, list[str]]) -> str:
        split = urlsplit(self.path)
        self.carrier.seen.append(
            Seen(
                method=self.command,
                path=split.path,
                query=parse_qs(split.query),
                form=form,
                authorization=self.headers["Authorization"] or "",
            )
        )
        return split.path

    def _answered_otherwise(self, form: dict[str, list[str]]) -> bool:
        answer, self.carrier.next_answer = self.carrier.next_answer, None
        if answer is None:
            return False
        if answer.places:
            self.carrier.place(to=form["To"][0], from_=form["From"][0])
        if answer.hang_up:
            self.close_connection = True
            return True
        self._send(answer.status, answer.body)
        return True

    def _end(self, call: dict[str, Any], wanted: str) -> None:
        """End a call as Twilio does: canceled leaves an answered call alone, an ended call is a 400."""
        if call["status"] in ("completed", "canceled", "busy", "no-answer", "failed"):
            self._send(400, {"code": 21220, "message": "not in progress", "status": 400})
            return
        if wanted == "completed" or call["status"] != "in-progress":
            call["status"] = wanted
        self._send(200, call)

    def _list(self) -> None:
        query = self.carrier.seen[-1].query
        found = [
            call
            for call in reversed(self.carrier.calls.values())
            if (call["to"], call["from"]) == (query["To"][0], query["From"][0])
        ]
        page = int(query.get("Page", ["0"])[0])
        more = len(found) > (page + 1) * PAGE
        following = (
            urlsplit(self.path)._replace(query=self._query(query, page + 1)).geturl() if more else None
        )
        self._send(200, {"calls": found[page * PAGE : (page + 1) * PAGE], "next_page_uri": following})

    @staticmethod
    def _query(query: dict[str, list[str]], page: int) -> str:
        return (
            "&".join(f"{name}={query[name][0].replace('+', '%2B')}" for name in ("To", "From"))
            + f"&Page={page}"
        )

    def _send(self, status: int, body: dict[str, Any] | bytes) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
