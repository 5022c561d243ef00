"""One job of the worker: from the dispatch's metadata to a conversation that is over and reported."""

from __future__ import annotations

import gc
import logging
from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from livekit.agents import JobContext, JobProcess
from pydantic import ValidationError

from agentworker.conversation import Conversation
from agentworker.hooks import Hooks
from agentworker.leftovers import call_id_of_room
from agentworker.line import FIRST_WORDS_WITHIN, LineJob, line_class
from agentworker.reporter import CallReporter
from agentworker.session import Models, build_models
from agentworker.settings import WorkerSettings, load
from agentworker.spool import Spool, SpoolTaken, spool_path
from agentworker.word_stream import WordStream
from outreach.domain.contracts import Brief, End
from outreach.domain.disposition import EndedBy

logger = logging.getLogger(__name__)

REPORT_WITHIN = 8.0
"""Seconds in which a finished job reports; the main process sends what is left."""


def warm_up(process: JobProcess) -> None:
    """Build the clients before there is a job, so that no person waits for it.

    What is loaded by then is not looked at by the garbage collector again: it stopped a call for 0.1 s.
    """
    settings = load()
    process.userdata["settings"] = settings
    process.userdata["models"] = build_models(settings.models, audio=line_class(settings.line).has_audio)
    gc.collect()
    gc.freeze()


async def hold_call(context: JobContext) -> None:
    """Hold the call of one job; whatever happens, its end is on disk and the job is over."""
    settings: WorkerSettings = context.proc.userdata["settings"]
    call_id = call_id_of_room(context.job.room.name)
    if call_id is None:
        logger.warning("a job for a room that is no call", extra={"job_id": context.job.id})
        context.shutdown(reason="not a call")
        return
    context.log_context_fields = {"call_id": str(call_id), "job_id": context.job.id}
    try:
        reporter = _reporter(settings, context, call_id)
    except SpoolTaken:
        logger.warning("this job runs already")
        context.shutdown(reason="already running")
        return
    try:
        if not await _hold(settings, context, call_id, reporter):
            logger.info("left without a word")
            await reporter.forget()
    except Exception:
        logger.exception("a conversation broke")
    finally:
        await reporter.finish(within=REPORT_WITHIN)
        context.shutdown(reason="over")


async def _hold(settings: WorkerSettings, context: JobContext, call_id: UUID, reporter: CallReporter) -> bool:
    """Hold the call; return false when it is not ours to hold."""
    brief = read_brief(context.job.metadata, call_id=call_id)
    if brief is None:
        reporter.fact(End(fact_id=uuid4(), at=datetime.now(tz=UTC), n_turns=0, ended_by=EndedBy.BAD_BRIEF))
        return True
    line = line_class(settings.line)(
        LineJob(
            room=context.job.room.name,
            url=settings.livekit_url,
            token=context._info.token,  # the SDK has no public way to it
            api_key=settings.livekit_api_key,
            api_secret=settings.livekit_api_secret,
            context=context,
            first_words_within=min(FIRST_WORDS_WITHIN, brief.limits.silence),
            in_browser=brief.channel == "web",
        )
    )
    models: Models = context.proc.userdata["models"]
    try:
        return await Conversation(brief=brief, line=line, reporter=reporter, models=models).run()
    finally:
        await models.aclose()


def read_brief(metadata: str, *, call_id: UUID) -> Brief | None:
    """Return the brief in a job's metadata, None when it is malformed or of another call.

    The log names the fields that are wrong, never their values: they are about a person.
    """
    try:
        brief = Brief.model_validate_json(metadata)
        ZoneInfo(brief.person.time_zone)
    except ValidationError as exc:
        wrong = sorted({".".join(map(str, problem["loc"])) for problem in exc.errors()})
        logger.error("the brief is malformed", extra={"reason": ", ".join(wrong)})  # noqa: TRY400
        return None
    except (LookupError, ValueError, OSError):
        logger.error("the brief is malformed", extra={"reason": "person.time_zone"})  # noqa: TRY400
        return None
    if brief.call_id != call_id:
        logger.error("the brief is of another call")
        return None
    return brief


def _reporter(settings: WorkerSettings, context: JobContext, call_id: UUID) -> CallReporter:
    return CallReporter(
        call_id=call_id,
        worker_id=settings.worker_id,
        job_id=context.job.id,
        hooks=Hooks(base_url=settings.hooks_url, secret=settings.agent_secret),
        stream=WordStream(url=settings.redis_url),
        spool=Spool(spool_path(settings.spool_dir, call_id=call_id, job_id=context.job.id)),
    )
