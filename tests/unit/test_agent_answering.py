"""Who picked up, from the first words alone."""

from __future__ import annotations

import pytest

from agentworker.answering import judge_words
from outreach.domain.disposition import AnsweredBy

pytestmark = pytest.mark.unit


class TestJudgeWords:
    @pytest.mark.parametrize(
        ("words", "who"),
        [
            ("", AnsweredBy.UNCERTAIN),
            ("Hello?", AnsweredBy.HUMAN),
            ("Yes, who is calling?", AnsweredBy.HUMAN),
            ("Hello, I'm not available right now, call me later.", AnsweredBy.HUMAN),
            ("I'm on the line now, what is this about?", AnsweredBy.HUMAN),
            ("You have reached the voicemail of this number.", AnsweredBy.VOICEMAIL),
            ("Hi, it's Sam. Leave a message after the beep!", AnsweredBy.VOICEMAIL),
            ("For sales, press one. For support, press two.", AnsweredBy.IVR),
            ("Please state your name and why you are calling.", AnsweredBy.SCREENING),
            ("Thank you. Please stay on the line.", AnsweredBy.SCREENING),
            ("The person you are calling is not available. Goodbye.", AnsweredBy.UNAVAILABLE),
            ("The mailbox is full and cannot take messages.", AnsweredBy.UNAVAILABLE),
        ],
    )
    def test_tells_people_from_machines(self, words: str, who: AnsweredBy) -> None:
        assert judge_words(words) is who
