"""What a killed job leaves on disk is enough to finish its call."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from agentworker.leftovers import call_id_of_room, lost_end, lost_opt_out, missing_words
from agentworker.spool import Spool, SpoolTaken, spool_path, spools
from outreach.domain.contracts import AnsweredFact, NoteWord, OptOut, TurnWord, WordsStored
from outreach.domain.disposition import AnsweredBy, EndedBy
from tests.agent_kit import NOW

pytestmark = pytest.mark.unit

CALL = uuid4()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool of one job."""
    return Spool(spool_path(tmp_path, call_id=CALL, job_id="AJ_1"))


def turn(seq: int, *, text: str = "Hello") -> TurnWord:
    """Return a turn of the person's."""
    return TurnWord(call_id=CALL, at=NOW, seq=seq, speaker="person", text=text)


class TestSpool:
    def test_makes_an_interrupted_turn_of_a_sentence_that_was_cut_by_death(self, spool: Spool) -> None:
        spool.accepted(at=NOW)
        spool.word(turn(1))
        spool.piece(seq=2, text="Hello, this ", stage="opening", at=NOW)
        spool.piece(seq=2, text="is Alex", stage="opening", at=NOW + timedelta(seconds=1))
        found = spool.read()
        assert found.n_turns == 2
        assert found.turns[2].text == "Hello, this is Alex"
        assert found.turns[2].speaker == "alex"
        assert found.turns[2].interrupted

    def test_prefers_the_finished_turn_to_its_pieces(self, spool: Spool) -> None:
        spool.piece(seq=1, text="Hel", stage="opening", at=NOW)
        spool.word(turn(1, text="Hello there"))
        assert spool.read().turns[1].text == "Hello there"

    def test_remembers_which_facts_have_arrived(self, spool: Spool) -> None:
        sent, unsent = (OptOut(fact_id=uuid4(), at=NOW) for _ in range(2))
        spool.fact(sent)
        spool.fact(unsent)
        spool.settled(sent.fact_id)
        assert spool.read().unsettled == [unsent]

    def test_drops_a_torn_last_line(self, spool: Spool) -> None:
        spool.word(turn(1))
        with spool.path.open("ab") as file:
            file.write(b'["word",{"call_id":"')
        assert spool.read().n_turns == 1

    def test_is_locked_while_its_job_lives(self, spool: Spool) -> None:
        with pytest.raises(SpoolTaken):
            Spool(spool.path, create=False)
        spool.close()
        Spool(spool.path, create=False).delete()
        assert spools(spool.path.parent) == []


class TestLeftovers:
    def test_ends_a_call_whose_job_died_with_what_was_numbered(self, spool: Spool) -> None:
        spool.word(turn(1))
        spool.word(NoteWord(call_id=CALL, at=NOW + timedelta(seconds=9), seq=1, text="n"))
        end = lost_end(spool.read())
        assert (end.n_turns, end.n_notes, end.ended_by) == (1, 1, EndedBy.WORKER_STOPPED)
        assert end.at == NOW + timedelta(seconds=9)

    def test_makes_the_same_end_each_time(self, spool: Spool) -> None:
        spool.word(turn(1))
        assert lost_end(spool.read()) == lost_end(spool.read())

    def test_says_the_opt_out_that_a_job_heard_and_died_of(self, spool: Spool) -> None:
        spool.word(turn(1))
        spool.word(turn(2, text="Stop calling me!"))
        (opt_out,) = lost_opt_out(spool.read())
        assert opt_out.evidence_seq == 2
        assert lost_opt_out(spool.read()) == [opt_out]

    def test_says_no_opt_out_twice_and_none_that_nobody_asked_for(self, spool: Spool) -> None:
        spool.word(turn(1))
        assert lost_opt_out(spool.read()) == []
        spool.word(turn(2, text="Stop calling me!"))
        spool.fact(OptOut(fact_id=uuid4(), at=NOW, how="phrase"))
        assert lost_opt_out(spool.read()) == []

    def test_hears_no_opt_out_in_a_mailbox(self, spool: Spool) -> None:
        spool.word(turn(1, text="To stop calling this number, press one."))
        spool.fact(AnsweredFact(fact_id=uuid4(), at=NOW, answered_by=AnsweredBy.VOICEMAIL))
        assert lost_opt_out(spool.read()) == []

    def test_sends_only_what_the_database_lacks(self, spool: Spool) -> None:
        spool.word(turn(1))
        spool.word(turn(2))
        stored = WordsStored(complete=False, missing_turns=[2, 3], missing_notes=[1])
        assert missing_words(spool.read(), stored) == [turn(2)]

    @pytest.mark.parametrize(
        "room", ["call-", "call-no-uuid", "lobby", "0e5c1d52-6f6e-4a6b-9d53-6f4b4a0f7c11"]
    )
    def test_knows_no_call_of_a_room_of_another_kind(self, room: str) -> None:
        assert call_id_of_room(room) is None

    def test_knows_the_call_of_a_room(self) -> None:
        assert call_id_of_room(f"call-{CALL}") == CALL
