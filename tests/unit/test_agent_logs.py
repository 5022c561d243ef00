"""The log names calls, never people or words."""

from __future__ import annotations

import json
import logging

import pytest

from agentworker.job import read_brief
from agentworker.logs import JsonLines
from tests.agent_kit import a_brief

pytestmark = pytest.mark.unit


class TestJsonLines:
    def test_keeps_ids_and_drops_identities_and_words(self) -> None:
        record = logging.makeLogRecord(
            {
                "name": "livekit.agents",
                "levelname": "INFO",
                "msg": "closing",
                "participant": "sip_+12025550143",
                "lk.pii.text": "my secret",
                "call_id": "c-1",
            }
        )
        line = json.loads(JsonLines().format(record))
        assert line["call_id"] == "c-1"
        assert "2025550143" not in json.dumps(line)
        assert "secret" not in json.dumps(line)


class TestReadBrief:
    def test_reads_what_the_product_sends(self) -> None:
        brief = a_brief()
        assert read_brief(brief.model_dump_json(), call_id=brief.call_id) == brief

    @pytest.mark.parametrize(
        "metadata",
        ["", "no json", "[]", '{"version": 1}', '{"version": 2, "person": {"name": "Ana Secret"}}'],
    )
    def test_names_what_is_wrong_and_no_value(self, metadata: str, caplog: pytest.LogCaptureFixture) -> None:
        assert read_brief(metadata, call_id=a_brief().call_id) is None
        assert "the brief is malformed" in caplog.text
        assert all("Secret" not in str(vars(record)) for record in caplog.records)

    def test_refuses_the_brief_of_another_call_and_a_zone_that_is_none(self) -> None:
        brief = a_brief()
        assert read_brief(brief.model_dump_json(), call_id=a_brief().call_id) is None
        nowhere = brief.model_copy(
            update={"person": brief.person.model_copy(update={"time_zone": "Mars/Phobos"})}
        )
        assert read_brief(nowhere.model_dump_json(), call_id=brief.call_id) is None
