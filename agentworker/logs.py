"""The worker's log: one JSON line per event, ids instead of people."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

#: What a record of anybody's may carry. LiveKit logs identities (`sip_+1…`) and, with `lk.pii.…`, words.
FIELDS = frozenset(
    {
        "call_id", "calls", "draining", "elapsed", "error", "executor", "free", "function", "held", "job_id",
        "kind", "line", "outcome", "pid", "places", "reason", "signal", "speech_id", "spool", "status",
        "timeout", "turns", "version", "worker_id",
    }
)  # fmt: skip
#: LiveKit's warnings about rooms that were never joined: a written line never joins one.
_EXPECTED = ("The room connection was not established within", "The job task completed without establishing")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object with the fields that are known to name nobody."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; of an exception its type and place, not its message."""
        fields = {name: value for name, value in record.__dict__.items() if name in FIELDS}
        line = {
            "timestamp": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields,
        }
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if trace:
            line["exception"] = trace
        return json.dumps(line, default=str)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_EXPECTED)


def configure(*, level: str) -> None:
    """Send the records of this process, and those that job processes hand to it, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("agentworker").setLevel(level)
    # Below WARNING, LiveKit's messages are many, and below INFO they may quote what was said.
    for name in ("livekit", "livekit.agents"):
        logging.getLogger(name).setLevel(logging.WARNING)
