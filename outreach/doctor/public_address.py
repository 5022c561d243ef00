"""The public address: it must lead to our hooks process, straight and unchanged, and to nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from outreach.doctor.audience import NO_PHONE_RINGS
from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, skipped, warn
from outreach.domain.dialing_mode import is_loopback
from outreach.integrations import nonces
from outreach.integrations.addresses import Seen, Unreachable, Untrusted, fetch

#: Twilio's own: some tunnels show a page in between to browsers, some to everybody but browsers.
TWILIO_AGENT = "TwilioProxy/1.1"
TUNNELS_PAGE = "https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/"
_START = (
    "Start a tunnel to the hooks' port (manage.py up --tunnel does), and set PUBLIC_BASE_URL to its address."
)


def address(_about: Surroundings) -> Finding:
    """Tell whether a nonce comes back through PUBLIC_BASE_URL, signed by our own hooks process."""
    base = settings.PUBLIC_BASE_URL
    if not base:
        return skipped(NO_PHONE_RINGS)
    if not base.startswith("https://") and not is_loopback(base):
        return fail(
            "PUBLIC_BASE_URL is not https: what people say about themselves would travel readable.",
            remedy="Give the address a certificate (a tunnel or Caddy brings one) and begin it with https://.",
            page=TUNNELS_PAGE,
        )
    nonce = nonces.new_nonce()
    try:
        seen = fetch(f"{base}{nonces.PATH}?ask={nonce}", user_agent=TWILIO_AGENT)
    except Untrusted:
        return fail(
            "The certificate of PUBLIC_BASE_URL is not valid, so Twilio and LiveKit refuse to call it.",
            remedy="Renew it, or set PUBLIC_BASE_URL to the very host name that it was made for.",
            page="https://www.twilio.com/docs/api/errors/11237",
        )
    except Unreachable as problem:
        return fail(f"PUBLIC_BASE_URL does not answer ({problem}).", remedy=_START, page=TUNNELS_PAGE)
    return _judged(seen, nonce)


def _judged(seen: Seen, nonce: str) -> Finding:
    if seen.location:
        host = urlsplit(seen.location).netloc or "another path"
        return fail(
            f"PUBLIC_BASE_URL redirects to {host}; a redirected webhook loses its signature.",
            remedy="Set PUBLIC_BASE_URL to the address at the end of the redirection.",
        )
    if nonces.is_signed(nonce, seen.body):
        return ok("PUBLIC_BASE_URL leads straight to our hooks process.")
    if seen.status >= 400:
        return fail(
            f"PUBLIC_BASE_URL answers {seen.status}: nothing of ours is behind it.",
            remedy="Let the tunnel or proxy lead to the hooks' port (8001, not the admin's); start make up.",
        )
    if seen.content_type == "text/html":
        return fail(
            "PUBLIC_BASE_URL shows a web page in between, which Twilio cannot click away.",
            remedy="Turn the tunnel's warning page off, or use another tunnel.",
            page=TUNNELS_PAGE,
        )
    return fail(
        "PUBLIC_BASE_URL leads to another installation: its answer is not signed with our key.",
        remedy="Let it lead to this machine, and give every process the same DJANGO_SECRET_KEY.",
    )


def nothing_else(_about: Surroundings) -> Finding:
    """Tell whether the public address keeps the admin to itself."""
    if not settings.PUBLIC_BASE_URL:
        return skipped(NO_PHONE_RINGS)
    try:
        seen = fetch(f"{settings.PUBLIC_BASE_URL}/admin/login/")
    except Unreachable as problem:
        return skipped(f"The admin could not be looked for ({problem}).")
    if seen.status < 400:
        return warn(
            "The admin can be opened through PUBLIC_BASE_URL, by anybody.",
            remedy="Lead the public address to the hooks' port only (8001).",
        )
    return ok("Nothing but the webhooks is public.")


CHECKS = (
    Check(name="public.address", examine=address, seconds=20),
    Check(name="public.nothing_else", examine=nothing_else, after="public.address"),
)
