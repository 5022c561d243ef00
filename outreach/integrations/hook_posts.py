"""Posting to other programs: to the address that was looked at, under a certificate, without detours.

The name is looked up once and that very address is connected to, so that a name cannot say one thing when it
is judged and another when it is used. No redirect is followed, no proxy is asked, little is read.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from outreach.domain.dialing_mode import is_loopback

#: Seconds for connecting, and for each piece of the answer.
TIMEOUT = 5.0
#: Bytes of an answer that are read, so that its connection ends in good order.
READ = 4096
_ALWAYS = {"Content-Type": "application/json", "User-Agent": "outreach-hooks/1", "Connection": "close"}
_NAT64 = ip_network("64:ff9b::/96")


class NotPosted(Exception):
    """Nobody took it; the message says in a few words why, without the address."""


class AddressRefused(NotPosted):
    """The address is one that nothing may be posted to."""


def signature(*, secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature header's value: HMAC-SHA256 over the timestamp, a dot and the body."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def address_problem(url: str) -> str:
    """Return what is wrong with an address as it is written; empty when nothing is."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "This is no address. Write it as https://name/path."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "This is no address. Write it as https://name/path."
    if parts.username or parts.password:
        return "An address with a password in it ends up in logs. The signature shows that it is we."
    if parts.scheme == "http" and not is_loopback(url):
        return "Only https keeps what is sent to itself. http is for this machine alone."
    return ""


def deliver(url: str, *, secret: str, event: str, event_id: str, body: bytes, private: bool) -> int:
    """Post a signed event and return the status that is answered; raises as `post` does."""
    # The receiver compares it with its own clock, which knows nothing of a rehearsal's.
    timestamp = str(int(time.time()))
    headers = {
        "Outreach-Event": event,
        "Outreach-Delivery": event_id,
        "Outreach-Timestamp": timestamp,
        "Outreach-Signature": signature(secret=secret, timestamp=timestamp, body=body),
    }
    return post(url, body=body, headers=headers, private=private)


def post(url: str, *, body: bytes, headers: Mapping[str, str], private: bool) -> int:
    """Post `body`, which is JSON, and return the status that is answered.

    :param private: whether addresses inside our own networks may be posted to.
    :raises AddressRefused: when the address is not https, or is a private one.
    :raises NotPosted: when there is no answer.
    """
    problem = address_problem(url)
    if problem:
        raise AddressRefused(problem)
    parts = urlsplit(url)
    try:
        connection = _connection(parts, private=private)
        try:
            connection.request("POST", _path(parts), body=body, headers=_ALWAYS | dict(headers))
            answer = connection.getresponse()
            answer.read(READ)
            return answer.status
        finally:
            connection.close()
    except ssl.SSLError:
        raise NotPosted("its certificate is not valid") from None
    except TimeoutError:
        raise NotPosted("no answer in time") from None
    except (OSError, http.client.HTTPException) as exc:
        raise NotPosted(f"no answer ({type(exc).__name__})") from None


def _connection(parts: SplitResult, *, private: bool) -> http.client.HTTPConnection:
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = _looked_up(host, port, private=private)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    # Else the Host header names the port, which not every server expects.
    connection.default_port = 443 if secure else 80
    sock = socket.create_connection((address, port), timeout=TIMEOUT)
    try:
        connection.sock = _certificates().wrap_socket(sock, server_hostname=host) if secure else sock
    except OSError:
        sock.close()
        raise
    return connection


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _looked_up(host: str, port: int, *, private: bool) -> str:
    """Return the address to connect to; one private address among several is enough to refuse the name."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise NotPosted("its name is not known") from None
    if not private and not all(is_public(address) for address in found):
        raise AddressRefused("it is an address inside a private network")
    return sorted(found, key=lambda address: ":" in address)[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the internet, also where it is written inside another one."""
    ip: IPv4Address | IPv6Address = ip_address(address.split("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _path(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path
