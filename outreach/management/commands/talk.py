"""`manage.py talk`: type with Alex, the same agent, brief and tools; nobody is called, no row is written."""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from agentworker.settings import GROQ_BASE_URL, ModelSettings, SettingsError, load_models
from agentworker.talk import talk_on_terminal
from outreach.domain.dialing_mode import is_loopback
from outreach.management.campaigns import find_campaign
from outreach.management.operating import OperatorCommand
from outreach.models import Campaign, Facilitator
from outreach.services import clock
from outreach.services.briefing import brief_for
from outreach.services.sample_call import sample_call

ANSWERS_WITHIN = 2.0


class Command(OperatorCommand):
    """Type with Alex."""

    help = (
        "Type with Alex as if you were on the phone: the same agent, brief and tools. Nobody is called and "
        "nothing is stored; what Alex would note or report is printed. Ctrl-D hangs up. In a rehearsal the "
        "sandbox's scripted model answers while `make up` runs; --real asks for a Groq key and lets the real "
        "model answer. In the modes test and live the real model always answers."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "talk",
        'talk --campaign "Autumn onboarding"',
        "talk --as 17",
        "talk --real",
    )
    needs_own_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare who one is for Alex, and who answers."""
        parser.add_argument("--campaign", metavar="NAME", help="whose script and facts; default: the only")
        parser.add_argument(
            "--as", type=int, dest="as_id", metavar="ID", help="be this facilitator, with their history"
        )
        parser.add_argument("--real", action="store_true", help="let Groq's real model answer")

    def operate(self, options: Mapping[str, Any]) -> None:
        """Write a brief as for a call, and talk."""
        campaign, person = _who(options["campaign"], options["as_id"])
        models = _models(real=options["real"])
        call = sample_call(campaign=campaign, person=person)
        brief = brief_for(call, now=clock.now())
        self.desk.write(self.desk.headline(f"Alex talks with {call.who}"))
        whose = "the sandbox's script" if is_loopback(models.base_url) else models.llm
        self.desk.say(f"{call.campaign.name} · answers: {whose} · Ctrl-D hangs up\n", "dim")
        with _heard() as troubles:
            try:
                asyncio.run(talk_on_terminal(brief=brief, models=models))
            except KeyboardInterrupt:
                self.desk.say("\nYou hung up.")
        if troubles.last:
            self.desk.say(
                f"The model could not answer: {troubles.last}. A key is made at "
                "https://console.groq.com/keys; behind a proxy, HTTPS_PROXY must name it.",
                "red",
            )


class _Troubles(logging.Handler):
    """Keeps why the models failed last."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the reason in one line."""
        problem = record.exc_info[1] if record.exc_info else None
        self.last = f"{problem or record.getMessage()}".split("\n", maxsplit=1)[0].rstrip(".")


@contextmanager
def _heard() -> Iterator[_Troubles]:
    """Keep what the models' client complains of, in place of tracebacks between the spoken lines."""
    logger, troubles = logging.getLogger("livekit.agents"), _Troubles(logging.ERROR)
    logger.addHandler(troubles)
    before, logger.propagate = logger.propagate, False
    try:
        yield troubles
    finally:
        logger.propagate = before
        logger.removeHandler(troubles)


def _who(campaign_name: str | None, facilitator_id: int | None) -> tuple[Campaign | None, Facilitator | None]:
    """Return whose script it is and who talks; both may be None, and are then invented."""
    campaigns = Campaign.objects.select_related("script")
    if facilitator_id is not None:
        people = Facilitator.objects.select_related("campaign__script")
        person = people.filter(pk=facilitator_id).first()
        if person is None:
            raise CommandError(f"There is no facilitator with the id {facilitator_id}.")
        if campaign_name and find_campaign(campaign_name) != person.campaign:
            raise CommandError(f'Facilitator {facilitator_id} is in "{person.campaign.name}".')
        return person.campaign, person
    if campaign_name:
        return campaigns.get(pk=find_campaign(campaign_name).pk), None
    found = list(campaigns.order_by("name")[:6])
    if len(found) > 1:
        names = ", ".join(f'"{one.name}"' for one in found[:5])
        raise CommandError(f"Say whose script with --campaign NAME: {names}{' …' * (len(found) > 5)}.")
    return (found[0] if found else None), None


def _models(*, real: bool) -> ModelSettings:
    """Return who thinks; make sure that somebody is there."""
    environment = {**os.environ, "GROQ_BASE_URL": settings.GROQ_BASE_URL}
    if real and is_loopback(settings.GROQ_BASE_URL):
        key = getpass.getpass("Groq API key (used for this talk, stored nowhere): ").strip()
        environment |= {"GROQ_API_KEY": key, "GROQ_BASE_URL": GROQ_BASE_URL}
    try:
        models = load_models(environment)
    except SettingsError as problem:
        raise CommandError(str(problem)) from problem
    if is_loopback(models.base_url) and not _answers(models.base_url):
        raise CommandError(
            f"The rehearsal's model does not answer at {models.base_url}. Start it with `make up` in another "
            "terminal, or let the real model answer: manage.py talk --real"
        )
    return replace(models, base_url=models.base_url.rstrip("/"))


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=ANSWERS_WITHIN):
            return True
    except OSError:
        return False
