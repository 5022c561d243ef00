"""The embedded servers are the real ones, and empty."""

from __future__ import annotations

import pytest
import redis
from django.db import connection

pytestmark = pytest.mark.integration


@pytest.mark.django_db
def test_the_database_is_postgresql_18_with_our_clock() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, outreach_now() - clock_timestamp()"
        )
        version, ahead = cursor.fetchone()
    assert version // 10_000 == 18
    assert abs(ahead.total_seconds()) < 1


def test_the_broker_is_valkey_9(valkey: redis.Redis) -> None:
    assert valkey.info("server")["valkey_version"].startswith("9.")
    assert valkey.dbsize() == 0
