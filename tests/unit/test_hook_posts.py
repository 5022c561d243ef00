"""Nothing is posted without https, nor into our own networks, however the address is written."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from outreach.integrations import hook_posts
from outreach.integrations.hook_posts import AddressRefused, address_problem, is_public

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://crm.example.org/hooks", ""),
        ("http://127.0.0.1:9000/", ""),
        ("http://crm.example.org/hooks", "Only https"),
        ("ftp://crm.example.org/", "no address"),
        ("https://", "no address"),
        ("https://crm.example.org:99999/", "no address"),
        ("https://user:secret@crm.example.org/", "password"),
    ],
)
def test_an_address_is_judged_as_it_is_written(url: str, says: str) -> None:
    problem = address_problem(url)
    assert says in problem
    assert bool(says) == bool(problem)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1"),
        *("::1", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
    ],
)
def test_an_address_of_our_own_networks_is_none_of_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_other_addresses_are(address: str) -> None:
    assert is_public(address)


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_addresses(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("169.254.169.254", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    with pytest.raises(AddressRefused, match="private network"):
        hook_posts.post("https://rebound.example.org/", body=b"{}", headers={}, private=False)
