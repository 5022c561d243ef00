"""Who is interested: one row per person, a mail to the campaign's address, and a page with the evidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from outreach.domain.contracts import Outcome
from outreach.domain.disposition import Disposition
from outreach.models import Access, Decision, Facilitator, Interest
from outreach.services import clock
from outreach.services.interests import note_interest, tell_interested
from tests.factories import (
    TUESDAY_MORNING,
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    an_earlier_call,
    pass_time,
    set_clock,
    talk_to_the_end,
)
from tests.integration.desk_rows import a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


def an_interest(**campaign: object) -> Interest:
    """Return somebody who said yes in their call's fourth turn."""
    call = a_talk(
        a_person(a_campaign(**campaign), name="Ann Example", standing="interested", next_call_at=None)
    )
    note_interest(call, now=clock.now())
    return Interest.objects.get(call=call)


class TestASettledCall:
    def test_that_went_well_puts_the_person_on_the_list_once(self) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        alex_says(call, Outcome, disposition=Disposition.INTERESTED, evidence_seq=4)
        talk_to_the_end(call, n_turns=5)
        row = Interest.objects.get()
        assert (row.facilitator, row.call, row.turn_seq, row.told_at) == (person, call, 4, None)
        note_interest(an_earlier_call(person, ago=timedelta(days=1)), now=clock.now())
        assert Interest.objects.get().call == call


class TestTelling:
    def test_mails_the_campaigns_address_at_once_and_once(self) -> None:
        row = an_interest(notify="desk@example.org")
        an_interest()  # of a campaign that names no address
        assert tell_interested() == 1
        assert tell_interested() == 0
        (message,) = mail.outbox
        assert message.to == ["desk@example.org"]
        assert "Ann Example" in message.body
        row.refresh_from_db()
        assert row.told_at is not None

    def test_lets_one_address_that_is_refused_hold_up_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        refused, taken = an_interest(notify="nobody@example.org"), an_interest(notify="desk@example.org")

        def sends(subject: str, body: str, sender: None, to: list[str]) -> int:
            if to == ["nobody@example.org"]:
                raise SMTPRecipientsRefused({})
            return mail.send_mail(subject, body, sender, to)

        monkeypatch.setattr("outreach.services.interests.send_mail", sends)
        assert tell_interested() == 1
        assert list(Interest.objects.filter(told_at__isnull=True)) == [refused]
        assert taken.facilitator.campaign.notify in mail.outbox[0].to

    def test_waits_for_the_day_where_one_mail_a_day_is_wanted(self) -> None:
        set_clock(TUESDAY_MORNING.replace(hour=6))
        an_interest(notify="desk@example.org", notify_daily=True)
        assert tell_interested() == 0
        pass_time(timedelta(hours=2))
        assert tell_interested() == 1
        other = a_talk(a_person(Interest.objects.get().facilitator.campaign))
        note_interest(other, now=clock.now())
        pass_time(timedelta(hours=3))
        assert tell_interested() == 0
        pass_time(timedelta(hours=21))
        assert tell_interested() == 1

    def test_leaves_out_who_has_taken_it_back(self) -> None:
        row = an_interest(notify="desk@example.org")
        Facilitator.objects.update(standing="suppressed")
        assert tell_interested() == 0
        row.refresh_from_db()
        assert (mail.outbox, row.told_at is not None) == ([], True)


class TestTheWorkList:
    def test_shows_the_words_to_those_who_may_read_them(self, client: Client) -> None:
        row = an_interest()
        url = reverse("admin:outreach_interest_change", args=[row.pk])
        may = ("outreach.view_interest", "outreach.change_interest")
        client.force_login(an_operator(*may))
        page = client.get(url).content.decode()
        assert "Yes, please." not in page
        assert f"{row.call_id}/change/#turn-4" in page
        client.force_login(an_operator(*may, "outreach.read_transcript", username="rita"))
        assert "Yes, please." in client.get(url).content.decode()
        assert Access.objects.get().what == f"turn 4 of call {row.call_id}"

    def test_is_worked_off(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        row = an_interest()
        url = reverse("admin:outreach_interest_changelist")
        for action in ("take_them", "finish_them"):
            client.post(url, {"action": action, "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert (row.owner.username if row.owner else "", row.handled_by) == ("root", "root")
        assert row in client.get(url, {"work": "handled", "q": "ann"}).context["cl"].result_list
        assert not client.get(url, {"work": "open"}).context["cl"].result_list

    def test_sends_nobody_to_those_who_have_since_said_no(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        row = an_interest()
        Facilitator.objects.filter(pk=row.facilitator_id).update(standing="not_interested")
        url = reverse("admin:outreach_interest_changelist")
        found = {
            work: list(client.get(url, {"work": work}).context["cl"].result_list)
            for work in ("open", "late", "nobodys", "handled", "back")
        }
        assert found == {"open": [], "late": [], "nobodys": [], "handled": [], "back": [row]}
        assert "Took it back" in client.get(url).content.decode()


class TestThePageOfAPerson:
    def test_tells_everything_in_one_list_the_newest_first(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        person = a_person(a_campaign(), name="Ann Example")
        call = a_talk(person)
        now: datetime = clock.now()
        Decision.objects.create(
            facilitator=person, code="outside_window", decided_at=now - timedelta(hours=3),
            reason="Outside 10:00–13:00 Europe/Madrid, next 14:00",
        )  # fmt: skip
        an_earlier_call(person, ago=timedelta(hours=1), kind="retry")  # in which nothing was said
        note_interest(call, now=now)
        entries = (
            client.get(reverse("admin:outreach_facilitator_change", args=[person.pk]))
            .context["timeline"]
            .entries
        )
        assert [entry.what for entry in entries][-2:] == ["First call", "Not called"]
        assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
        attempt = [entry.attempt for entry in entries if entry.attempt][-1]
        assert [stage.label for stage in attempt.stages] == ["Opening", "Close"]
        assert [note.turn_seq for note in attempt.notes] == [2]

    def test_tells_who_edited_what(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        person = a_person(a_campaign(), name="Ann Example")
        url = reverse("admin:outreach_facilitator_change", args=[person.pk])
        form = client.get(url).context["adminform"].form
        given = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
        client.post(url, {**given, "extra": "{}", "name": "Anna"})
        page = client.get(url).content.decode()
        assert "Name: Ann Example → Anna" in page
        assert "· root" in page
