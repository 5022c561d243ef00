"""Searching in the spoken words of all calls: by how words begin, with the index, for those who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.desk import spoken
from outreach.desk.spoken import marked, turns_with
from outreach.models import Access, Call, Turn
from outreach.services import clock
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_talk, an_operator
from tests.integration.test_many_rows import plans

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

LIST = "/admin/outreach/turn/"


def a_call_with(*words: str) -> Call:
    """Return a call in which this was said."""
    call = a_talk(a_person(a_campaign()))
    for seq, text in enumerate(words, 10):
        Turn.objects.create(
            call=call, seq=seq, speaker="person", text=text, stage="pitch", said_at=clock.now()
        )
    return call


def found(typed: str) -> list[str]:
    """Return the turns that a search finds."""
    return list(turns_with(Turn.objects.all(), typed).turns.values_list("text", flat=True))


class TestSearching:
    @pytest.mark.parametrize(
        "typed",
        ["watercolour", "WATERC", "paint water", "paint, & | ! water:* ('", "wasserfarbe’s watercolour"],
    )
    def test_finds_every_word_by_its_beginning(self, typed: str) -> None:
        a_call_with("I paint in watercolours, Wasserfarbe.", "I teach pottery.")
        expected = [] if "’s" in typed else ["I paint in watercolours, Wasserfarbe."]
        assert found(typed) == expected

    def test_finds_nothing_by_nothing_but_signs(self) -> None:
        a_call_with("I paint.")
        assert found("& | !") == []

    def test_looks_a_rare_word_up_in_the_index_and_reads_the_newest_turns_for_a_frequent_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = a_call_with("A word of old")
        Turn.objects.bulk_create(
            Turn(call=call, seq=n, speaker="alex", text=f"Word{n} and more", said_at=clock.now())
            for n in range(100, 3100)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE outreach_turn")
        monkeypatch.setattr(spoken, "FREQUENT", 1_000)
        monkeypatch.setattr(spoken, "NEWEST", 100)
        with plans() as made:
            rare = turns_with(Turn.objects.order_by("-id"), "word1234")
        assert (rare.turns.get().text, rare.of_newest) == ("Word1234 and more", False)
        assert "turn_by_words" in made[-1]
        frequent = turns_with(Turn.objects.order_by("-id"), "and")
        assert (frequent.turns.count(), frequent.of_newest) == (100, True)

    def test_finds_the_newest_of_very_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spoken, "MOST", 2)
        a_call_with("Paint one", "Paint two", "Paint three", "Clay four")
        assert sorted(found("paint")) == ["Paint three", "Paint two"]

    def test_marks_what_was_looked_for_and_nothing_else(self) -> None:
        assert marked("Say <b>painting</b>", "paint") == "Say &lt;b&gt;<mark>paint</mark>ing&lt;/b&gt;"
        assert marked("x" * 300 + " paint " + "y" * 300, "paint").startswith("…")


class TestThePage:
    def test_leads_to_the_turn_in_its_conversation(self, client: Client) -> None:
        call = a_call_with("I paint in watercolours.")
        client.force_login(
            an_operator("outreach.view_call", "outreach.view_turn", "outreach.read_transcript")
        )
        page = client.get(LIST, {"q": "watercol"}).content.decode()
        assert f"{reverse('admin:outreach_call_change', args=[call.pk])}#turn-10" in page
        assert "<mark>watercol</mark>ours" in page
        assert "watercol" not in Access.objects.get().what

    def test_says_when_only_the_newest_turns_were_looked_through(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_call_with("I paint.")
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        assert "only the newest" not in client.get(LIST, {"q": "paint"}).content.decode()
        monkeypatch.setattr(spoken, "FREQUENT", 0)
        assert "only the newest 10,000 turns" in client.get(LIST, {"q": "paint"}).content.decode()

    def test_is_not_for_everybody(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_call", "outreach.view_turn"))
        assert client.get(LIST, {"q": "paint"}).status_code == 403

    def test_asks_as_many_questions_however_much_is_found(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        counts = []
        for _ in range(3):
            a_call_with(*[f"I paint number {n}." for n in range(9)])
            with CaptureQueriesContext(connection) as captured:
                client.get(LIST, {"q": "paint"})
            counts.append(len(captured))
        assert counts[1] == counts[2] <= 14
