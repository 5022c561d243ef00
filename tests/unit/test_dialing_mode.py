"""Keys alone never dial: real and emulated services are never mixed."""

from __future__ import annotations

import pytest

from outreach.domain.dialing_mode import DialingMode, is_loopback, mode_problems

pytestmark = pytest.mark.unit

HERE = ["http://127.0.0.1:9101", "ws://localhost:9102", "sip:127.0.0.1:5060", "http://[::1]:9103/v1"]
THERE = [
    "https://api.twilio.com",
    "wss://calls.livekit.cloud",
    "sip:calls.sip.livekit.cloud",
    "https://127.0.0.1.example.org",
    "https://localhost.example.org",
    "sip:outreach@sip.example.org:5060;transport=tcp",
]


class TestIsLoopback:
    @pytest.mark.parametrize(
        "address", [*HERE, "sip:call-1@127.0.0.1:5060;transport=tcp", "http://127.8.8.8"]
    )
    def test_knows_this_machine(self, address: str) -> None:
        assert is_loopback(address)

    @pytest.mark.parametrize("address", THERE)
    def test_takes_everything_else_for_a_real_service(self, address: str) -> None:
        assert not is_loopback(address)


class TestModeProblems:
    @pytest.mark.parametrize("address", THERE)
    def test_a_rehearsal_refuses_a_real_service(self, address: str) -> None:
        [problem] = mode_problems(DialingMode.REHEARSAL, {"TWILIO_API_URL": address})
        assert "TWILIO_API_URL" in problem

    @pytest.mark.parametrize("mode", [DialingMode.TEST, DialingMode.LIVE])
    @pytest.mark.parametrize("address", HERE)
    def test_real_modes_refuse_an_emulated_service(self, mode: DialingMode, address: str) -> None:
        [problem] = mode_problems(mode, {"LIVEKIT_URL": address})
        assert "LIVEKIT_URL" in problem
        assert mode.value in problem

    def test_half_real_and_half_emulated_is_refused_in_every_mode(self) -> None:
        mixed = {"TWILIO_API_URL": THERE[0], "LIVEKIT_URL": HERE[1]}
        assert all(len(mode_problems(mode, mixed)) == 1 for mode in DialingMode)

    @pytest.mark.parametrize("mode", list(DialingMode))
    def test_an_empty_setting_is_no_problem_here(self, mode: DialingMode) -> None:
        assert mode_problems(mode, {"TWILIO_API_URL": ""}) == []

    def test_names_every_setting_that_does_not_fit(self) -> None:
        problems = mode_problems(DialingMode.REHEARSAL, {"A": THERE[0], "B": HERE[0], "C": THERE[1]})
        assert [problem.split()[0] for problem in problems] == ["A", "C"]
