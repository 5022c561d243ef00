"""How a browser gets into a LiveKit room: whether the server carries sound at all, and a key for one room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import requests
from django.conf import settings
from livekit import api

from outreach.integrations.telephony import TelephonyUnavailable

#: Seconds until LiveKit must have answered whether it carries sound: an operator waits for the page.
TIMEOUT = (3.0, 5.0)
#: How long a key opens the room; whoever is inside stays, and LiveKit renews their key itself.
KEY_LASTS = timedelta(minutes=3)
_HTTP = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, kw_only=True)
class RoomKey:
    """What a browser needs to join one room."""

    url: str
    token: str = field(repr=False)


class BrowserDoor(Protocol):
    """Lets a browser into a room."""

    def carries_sound(self) -> bool:
        """Tell whether browsers can talk in the server's rooms.

        :raises TelephonyUnavailable: when the server does not answer.
        """

    def key_for(self, *, room: str, identity: str, name: str) -> RoomKey:
        """Return a key for `room`: to hear, and to be heard through a microphone; nothing else."""


class LiveKitDoor:
    """The door of a LiveKit server."""

    def __init__(self, *, url: str, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret

    def carries_sound(self) -> bool:
        """Tell whether the server speaks `/rtc`, the signalling of real rooms; it may have an API alone.

        `/rtc/validate` is what the browser's own client asks to learn why it was not let in. No room is made
        by it; the right to make one keeps a server that makes none by itself from answering "no such room".

        :raises TelephonyUnavailable: when the server does not answer, or not to our key.
        """
        grants = api.VideoGrants(room_join=True, room_create=True, room="browser-check")
        token = self._token().with_identity("browser-check").with_grants(grants).to_jwt()
        address = urlsplit(self._url)
        question = address._replace(
            scheme=_HTTP.get(address.scheme, address.scheme), path=f"{address.path.rstrip('/')}/rtc/validate"
        )
        try:
            answer = requests.get(
                question.geturl(),
                headers={"Authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise TelephonyUnavailable(f"LiveKit could not be asked ({type(exc).__name__})") from exc
        if answer.status_code != HTTPStatus.OK and answer.status_code != HTTPStatus.NOT_FOUND:
            raise TelephonyUnavailable(f"LiveKit answered {answer.status_code}")
        return answer.status_code == HTTPStatus.OK

    def key_for(self, *, room: str, identity: str, name: str) -> RoomKey:
        """Return a key for `room`: to hear, and to be heard through a microphone; nothing else."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_publish_data=False,
            can_subscribe=True,
            can_update_own_metadata=False,
        )
        token = self._token().with_identity(identity).with_name(name).with_grants(grants)
        return RoomKey(url=self._url, token=token.to_jwt())

    def _token(self) -> api.AccessToken:
        return api.AccessToken(self._api_key, self._api_secret).with_ttl(KEY_LASTS)


def door() -> BrowserDoor:
    """Return the door of the LiveKit server that the settings name."""
    return LiveKitDoor(
        url=settings.LIVEKIT_URL, api_key=settings.LIVEKIT_API_KEY, api_secret=settings.LIVEKIT_API_SECRET
    )
