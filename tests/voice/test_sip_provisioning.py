"""Setting up SIP at a real livekit-server, which needs only Redis for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from outreach.management.supervisor import programs
from outreach.management.supervisor.child import Child
from outreach.management.supervisor.ports import free_ports
from sandbox.livekit_server import LiveKitPlace, livekit_server
from tests.sip_contract import Project, SipContract
from tests.voice.conftest import wait_for

pytestmark = pytest.mark.functional

KEY, SECRET = "devkey", "throw-away-livekit-secret-of-32-chars"
#: A database of its own at the tests' Redis: what other tests' servers keep there is not for deleting.
DATABASE = 7


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run livekit-server; return its address."""
    place, ports = tmp_path_factory.mktemp("sip"), free_ports()
    server = livekit_server(
        LiveKitPlace(
            port=ports.livekit,
            media_port=ports.media,
            api_key=KEY,
            api_secret=SECRET,
            redis_url=urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{DATABASE}").geturl(),
            webhook_url="http://127.0.0.1:9/",
        ),
        data=place / "livekit",
    )
    with ExitStack() as stack:
        log = stack.enter_context((place / "livekit.log").open("wb"))
        child = Child(programs.store(server, environment=dict(os.environ)).program, output=log)
        stack.callback(child.close)
        stack.callback(child.stop)
        wait_for(lambda: programs.listens(f"http://127.0.0.1:{ports.livekit}/"), place)
        yield server.url


@pytest.fixture
def project(url: str) -> Project:
    found = Project(url=url, key=KEY, secret=SECRET)
    found.empty()
    return found


class TestLiveKitServer(SipContract):
    """The SIP API of livekit-server keeps the contract."""
