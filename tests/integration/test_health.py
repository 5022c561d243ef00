"""Whether a process lives and can do its work."""

from __future__ import annotations

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from tests.integration.hooks import be_the_hooks_process

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("config.hooks_urls"),
]


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    be_the_hooks_process(settings)


class TestHealth:
    def test_lives(self, client: Client) -> None:
        response = client.get("/hooks/livez")
        assert (response.status_code, response.content) == (200, b"ok")

    @pytest.mark.urls("config.urls")
    def test_is_ready_while_postgresql_and_redis_answer(self, client: Client) -> None:
        assert client.get("/livez").content == b"ok"
        assert client.get("/readyz?format=json").status_code == 200

    def test_is_ready_in_the_hooks_process_too(self, client: Client) -> None:
        assert client.get("/hooks/readyz?format=json").status_code == 200

    def test_is_not_ready_before_the_tables_are_made(self, client: Client) -> None:
        last = MigrationRecorder.Migration.objects.filter(app="outreach").order_by("name").last()
        assert last is not None
        last.delete()
        try:
            response = client.get("/hooks/readyz?format=text")
        finally:
            last.save(force_insert=True)
        assert response.status_code == 500
        assert b"1 migrations are not applied: run manage.py migrate." in response.content

    @pytest.mark.urls("config.urls")
    def test_is_not_ready_without_redis(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert client.get("/readyz?format=json").status_code == 500
