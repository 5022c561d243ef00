"""What every test may use: sockets only where they are meant, an empty Valkey, the rehearsal's clock."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import redis
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Block the network: a unit test opens no socket, every other test reaches this machine only."""
    if request.node.get_closest_marker("unit"):
        disable_socket(allow_unix_socket=True)
    else:
        socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def valkey() -> Iterator[redis.Redis]:
    """Valkey, empty before and after the test."""
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None) as client:
        client.flushdb()
        yield client
        client.flushdb()
