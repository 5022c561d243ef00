"""The desk shows what came out of a call: its summary with the turns behind it, and its bill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from outreach.admin.asked_fields import AskedFieldsField
from outreach.admin.campaign_form import CampaignForm
from outreach.admin.rate import RateForm
from outreach.domain.call_status import CallStatus
from outreach.models import Call, Rate, Summary
from outreach.services import after_call, clock
from tests.integration.calls import make_call
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def a_call(**fields: Any) -> Call:
    """Return a call of a minute whose cost is counted."""
    now = clock.now()
    times = {"answered_at": now, "ended_at": now, "settled_at": now, "duration_seconds": 60}
    call = make_call(CallStatus.COMPLETED, **(times | {"transcript": "complete"} | fields))
    after_call.take_up()
    call.refresh_from_db()
    return call


def page_of(desk: Client, row: Any) -> str:
    """Return the text of a row's page."""
    response = desk.get(reverse(f"admin:outreach_{row._meta.model_name}_change", args=[row.pk]))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def a_summary(call: Call, **fields: Any) -> Summary:
    """Return a summary that shows one field."""
    made = {
        "state": "made", "text": "Runs workshops <b>for</b> schools.", "dropped": 1, "made_at": clock.now(),
        "fields": [{"name": "kind_of_groups", "value": "Schools", "turn_seq": 3}],
    }  # fmt: skip
    return Summary.objects.create(call=call, **(made | fields))


class TestACallsPage:
    def test_shows_the_summary_and_links_each_answer_to_its_turn(self, desk: Client) -> None:
        call = a_call()
        a_summary(call)
        page = page_of(desk, call)
        assert "Runs workshops &lt;b&gt;for&lt;/b&gt; schools." in page
        assert "Kind of groups" in page
        assert 'href="#turn-3"' in page
        assert "1 answer left out: no turn shows it." in page

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"state": "due", "problem": ""}, "It is being written."),
            (
                {"state": "due", "problem": "Groq does not know the key."},
                "Not yet. Groq does not know the key. Next try",
            ),
            (
                {"state": "given_up", "due_at": None, "problem": "Groq answered 503"},
                "There is none. Groq answered 503",
            ),
        ],
    )
    def test_says_why_there_is_no_summary(self, desk: Client, fields: dict[str, Any], told: str) -> None:
        call = a_call()
        a_summary(call, **({"text": "", "fields": [], "made_at": None, "due_at": clock.now()} | fields))
        assert told in page_of(desk, call)

    def test_hides_the_summary_from_whoever_may_not_read_transcripts(self, client: Client) -> None:
        call = a_call()
        a_summary(call)
        client.force_login(an_operator("outreach.view_call"))
        page = page_of(client, call)
        assert "Runs workshops" not in page
        assert "0.0220 USD" in page

    def test_shows_the_bill_line_by_line(self, desk: Client) -> None:
        page = page_of(desk, a_call())
        assert "0.0220 USD, estimated" in page
        assert "Twilio, call to the phone" in page
        assert "1 min × 0.014" in page

    def test_says_which_line_has_no_rate(self, desk: Client) -> None:
        Rate.objects.filter(item="twilio_call").delete()
        page = page_of(desk, a_call())
        assert "no rate" in page
        assert "Without what has no rate: Twilio, call to the phone, per started minute." in page


def test_a_persons_page_shows_the_latest_answers(desk: Client) -> None:
    call = a_call()
    a_summary(call)
    page = page_of(desk, call.person)
    assert "What they told us" in page
    assert f"{reverse('admin:outreach_call_change', args=[call.pk])}#turn-3" in page


class TestWhatACampaignAsksFor:
    def test_is_written_a_line_each(self) -> None:
        field = AskedFieldsField(required=False)
        asked = field.clean("groups: What groups?\n\nfee : What do they charge: euros?")
        assert asked == [
            {"name": "groups", "question": "What groups?"},
            {"name": "fee", "question": "What do they charge: euros?"},
        ]
        assert field.prepare_value(asked) == "groups: What groups?\nfee: What do they charge: euros?"
        assert not field.has_changed(asked, field.prepare_value(asked))

    @pytest.mark.parametrize(
        "lines",
        [
            "What groups?",
            "Groups: What?",
            "groups:",
            "a b: What?",
            "x: What?\nx: Why?",
            "\n".join(f"x{n}: ?" for n in range(13)),
        ],
    )
    def test_is_refused_where_it_cannot_be_read(self, lines: str) -> None:
        with pytest.raises(ValidationError):
            AskedFieldsField(required=False).clean(lines)

    def test_is_saved_with_the_campaign(self) -> None:
        assert "asks_for" in CampaignForm.base_fields


class TestARate:
    def test_is_saved_in_one_way_of_writing(self) -> None:
        form = RateForm(
            {"item": "twilio_call", "prefix": "+1 809", "price": "0.05", "currency": "usd", "source": ""}
        )
        assert form.is_valid(), form.errors
        rate = form.save()
        assert (rate.prefix, rate.currency, rate.price) == ("+1809", "USD", Decimal("0.05"))

    def test_is_refused_in_a_currency_that_is_none(self) -> None:
        form = RateForm({"item": "stt", "prefix": "", "price": "1", "currency": "$", "source": ""})
        assert "currency" in form.errors

    def test_is_changed_only_by_whoever_may(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_rate"))
        rate = Rate.objects.order_by("pk").first()
        assert rate is not None
        url = reverse("admin:outreach_rate_change", args=[rate.pk])
        assert client.get(url).status_code == 200
        assert client.post(url, {"item": "stt", "price": "9", "currency": "USD"}).status_code == 403
