"""PostgreSQL and Redis: there, new enough, set up as promised."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, warn
from outreach.models import DialingControl

#: The first version that skips inside an index: without it a claim over a million people takes a second.
POSTGRESQL = 18


def database(_about: Surroundings) -> Finding:
    """Tell whether PostgreSQL answers and is new enough."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = str(cursor.fetchone()[0]).split(" ")[0]
    except OperationalError as problem:
        first_line = str(problem).strip().split("\n", maxsplit=1)[0]
        return fail(
            f"PostgreSQL could not be asked: {first_line}",
            remedy="Start the server that DATABASE_URL names; `make up` without DATABASE_URL brings one.",
        )
    if int(version.split(".")[0]) < POSTGRESQL:
        return fail(
            f"PostgreSQL {version} is too old: {POSTGRESQL} or newer is needed.",
            remedy="Upgrade the server that DATABASE_URL names; `make up` without DATABASE_URL brings one.",
            page="https://www.postgresql.org/download/",
        )
    return ok(f"PostgreSQL {version} answers.")


def migrations(_about: Surroundings) -> Finding:
    """Tell whether the tables are those of this code."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return fail(f"{len(missing)} migrations are not applied.", remedy="Run manage.py migrate.")
    return ok("The tables are made.")


def mode(_about: Surroundings) -> Finding:
    """Tell whether the database belongs to the mode that is set."""
    marked = DialingControl.objects.values_list("mode", flat=True).filter(pk=1).first()
    if not marked:
        return ok(f"DIALING={settings.DIALING}; this database belongs to no mode yet.")
    if marked != settings.DIALING.value:
        return fail(
            f"This database belongs to DIALING={marked}, but DIALING={settings.DIALING} is set.",
            remedy="Give each mode a database of its own (DATABASE_URL).",
        )
    return ok(f"DIALING={settings.DIALING}, and so is the database.")


def redis_server(_about: Surroundings) -> Finding:
    """Tell whether Redis answers, never throws words away, and survives a restart."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as client:
        try:
            about = client.info("server") | client.info("memory") | client.info("persistence")
        except (redis.RedisError, OSError) as problem:
            return fail(
                f"Redis could not be asked ({type(problem).__name__}).",
                remedy="Start the server that REDIS_URL names; `make up` without REDIS_URL brings one.",
            )
    name = "Valkey" if "valkey_version" in about else "Redis"
    version = about.get("valkey_version") or about.get("redis_version")
    policy = about.get("maxmemory_policy")
    if policy != "noeviction":
        return fail(
            f"{name} throws keys away when its memory is full ({policy}): tasks and spoken words get lost.",
            remedy="Set maxmemory-policy noeviction in its configuration.",
            page="https://redis.io/docs/latest/develop/reference/eviction/",
        )
    if not about.get("aof_enabled"):
        return warn(
            f"{name} {version} answers, but keeps no log of its writes: a restart forgets words and hints.",
            remedy="Set appendonly yes in its configuration; Alex's spool sends the words again meanwhile.",
            page="https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        )
    return ok(f"{name} {version} answers, keeps a log of its writes and throws nothing away.")


CHECKS = (
    Check(name="local.database", examine=database),
    Check(name="local.migrations", examine=migrations, after="local.database"),
    Check(name="local.mode", examine=mode, after="local.migrations"),
    Check(name="local.redis", examine=redis_server),
)
