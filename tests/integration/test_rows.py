"""Rows that are read past the ORM's compiler are what the ORM reads."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import Model

from outreach.models import Call, Campaign, DialingControl, Facilitator
from outreach.services.rows import call_with_all, locked_call, locked_call_of_token, row_of
from tests.factories import a_campaign, a_person, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def call() -> Call:
    """Return a call of a person about whom more is known than must be."""
    person = a_person(a_campaign(), extra={"role": "teacher", "languages": ["en", "fr"]})
    return an_earlier_call(person, ago=timedelta(hours=1))


def values(row: Model) -> dict[str, object]:
    """Return what is in each column of a row."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


class TestRowOf:
    @pytest.mark.parametrize("model", [Call, Campaign, Facilitator, DialingControl])
    def test_reads_every_column_as_the_orm_does(self, call: Call, model: type[Model]) -> None:
        expected = model._default_manager.all()[0]
        found = row_of(model, "id", expected.pk)
        assert found is not None
        assert values(found) == values(expected)

    def test_finds_nobody_where_nobody_is(self, call: Call) -> None:
        assert row_of(Call, "id", uuid.uuid4()) is None


class TestALockedCall:
    def test_is_the_one_of_its_token_and_brings_what_hangs_on_it(
        self, call: Call, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        with transaction.atomic():
            found = locked_call_of_token(call.token)
        assert found is not None
        whole = call_with_all(pk=call.pk)
        with django_assert_num_queries(0):  # type: ignore[operator]
            assert found.campaign.caller_ids == ["+12025550199"]
            assert whole.person.extra == {"role": "teacher", "languages": ["en", "fr"]}
            assert whole.script.body
        whole.stage = "close"
        whole.save(update_fields=["stage"])
        call.refresh_from_db()
        assert call.stage == "close"

    def test_cannot_be_locked_by_somebody_else(self, call: Call) -> None:
        name = connection.settings_dict["NAME"]
        with psycopg.connect(os.environ["DATABASE_URL"], dbname=name) as other, transaction.atomic():
            locked_call(pk=call.pk)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("SELECT FROM outreach_call WHERE id = %s FOR UPDATE NOWAIT", [call.pk])

    def test_that_does_not_exist_is_said_so(self, call: Call) -> None:
        with transaction.atomic(), pytest.raises(Call.DoesNotExist):
            locked_call(pk=uuid.uuid4())
