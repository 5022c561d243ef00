"""Twilio's REST API about the account itself: kind, balance, numbers, countries, business profile.

Fields as documented at https://www.twilio.com/docs/iam/api/account, …/usage/api/balance (Balance.json),
…/phone-numbers/api/incomingphonenumber-resource, …/voice/api/outgoing-caller-ids,
…/voice/api/dialingpermissions-country-resource and …/trust-hub/trusthub-rest-api/customer-profiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import phonenumbers
from aiohttp import web

from sandbox.accounts import TwilioStanding
from sandbox.phone_call import API_VERSION
from sandbox.settings import SandboxSettings
from sandbox.twilio_door import TwilioDoor, not_found

ACCOUNT = f"/{API_VERSION}/Accounts/{{account}}"
PAGE_SIZE = 50


class TwilioAccountApi:
    """Answers questions about the account as it stands now."""

    def __init__(self, *, standing: TwilioStanding, settings: SandboxSettings, door: TwilioDoor) -> None:
        self._standing = standing
        self._sid = settings.twilio_account_sid
        self._public_base_url = settings.public_base_url
        self._door = door
        self._voice_urls: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses; Twilio spreads them over the hosts api., voice. and trusthub."""
        guarded = self._door.guarded
        numbers = f"{ACCOUNT}/IncomingPhoneNumbers"
        return [
            web.get(f"{ACCOUNT}.json", guarded(self._account)),
            web.get(f"{ACCOUNT}/Balance.json", guarded(self._balance)),
            web.get(f"{numbers}.json", guarded(self._numbers)),
            web.post(f"{numbers}/{{sid}}.json", guarded(self._update_number)),
            web.get(f"{ACCOUNT}/OutgoingCallerIds.json", guarded(self._caller_ids)),
            web.get("/v1/DialingPermissions/Countries/{iso}", guarded(self._country)),
            web.get("/v1/CustomerProfiles", guarded(self._profiles)),
        ]

    def voice_url_of(self, number: str) -> str:
        """Return where Twilio asks what to do with calls to `number`; empty: it was never set.

        An account of which any number may call is one whose numbers are set up.
        """
        usual = f"{self._public_base_url}/hooks/twilio/incoming" if self._standing.any_caller_id else ""
        return self._voice_urls.get(number, usual)

    async def _account(self, _: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        return web.json_response(
            {
                "sid": self._sid,
                "owner_account_sid": self._sid,
                "friendly_name": "Sandbox",
                "status": "suspended" if self._standing.suspended else "active",
                "type": "Trial" if self._standing.trial else "Full",
                "uri": f"/{API_VERSION}/Accounts/{self._sid}.json",
            }
        )

    async def _balance(self, _: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        return web.json_response(
            {"account_sid": self._sid, "balance": self._standing.balance, "currency": "USD"}
        )

    async def _numbers(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        wanted = request.query.get("PhoneNumber", "")
        found = [self._number(number) for number in self._standing.numbers if wanted in ("", number)]
        return web.json_response(_page(request, "incoming_phone_numbers", found))

    async def _update_number(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        for number in self._standing.numbers:
            if _sid("PN", number) == request.match_info["sid"]:
                form = await request.post()
                self._voice_urls[number] = str(form.get("VoiceUrl", self.voice_url_of(number)))
                return web.json_response(self._number(number))
        raise not_found(request)

    async def _caller_ids(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        found = [
            {"sid": _sid("PN", number), "account_sid": self._sid, "phone_number": number}
            for number in self._standing.verified
        ]
        return web.json_response(_page(request, "outgoing_caller_ids", found))

    async def _country(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        iso = request.match_info["iso"].upper()
        code = phonenumbers.country_code_for_region(iso)
        if not code:
            raise not_found(request)
        allowed = self._standing.countries
        return web.json_response(
            {
                "iso_code": iso,
                "country_codes": [f"+{code}"],
                "low_risk_numbers_enabled": allowed is None or iso in allowed,
                "high_risk_special_numbers_enabled": False,
                "high_risk_tollfraud_numbers_enabled": False,
                "url": f"https://voice.twilio.com/v1/DialingPermissions/Countries/{iso}",
            }
        )

    async def _profiles(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        status = "twilio-approved" if self._standing.approved_profile else "in-review"
        profile = {"sid": _sid("BU", self._sid), "account_sid": self._sid, "status": status}
        found = [profile] if request.query.get("Status", status) == status else []
        url = f"https://trusthub.twilio.com/v1/CustomerProfiles?PageSize={PAGE_SIZE}&Page=0"
        meta = {"key": "results", "page": 0, "page_size": PAGE_SIZE, "url": url, "first_page_url": url}
        more = {"next_page_url": None, "previous_page_url": None}
        return web.json_response({"results": found, "meta": meta | more})

    def _number(self, number: str) -> dict[str, Any]:
        sid, voice = _sid("PN", number), number not in self._standing.without_voice
        return {
            "sid": sid,
            "account_sid": self._sid,
            "phone_number": number,
            "capabilities": {"voice": voice, "sms": True, "mms": False, "fax": False},
            "voice_url": self.voice_url_of(number),
            "voice_method": "POST",
            "uri": f"/{API_VERSION}/Accounts/{self._sid}/IncomingPhoneNumbers/{sid}.json",
        }


def _page(request: web.Request, key: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one page of the 2010 API; an account here never has more."""
    return {
        key: list(found),
        "page": 0,
        "page_size": int(request.query.get("PageSize", PAGE_SIZE)),
        "start": 0,
        "end": max(len(found) - 1, 0),
        "uri": request.path_qs,
        "first_page_uri": request.path_qs,
        "next_page_uri": None,
        "previous_page_uri": None,
    }


def _sid(prefix: str, of: str) -> str:
    return prefix + hashlib.md5(of.encode(), usedforsecurity=False).hexdigest()
