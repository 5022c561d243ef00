"""`manage.py record`: write what is said from the stream into the database."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from outreach.integrations.words import words_stream
from outreach.management.recorder import Recorder


class Command(BaseCommand):
    """Record until a signal says stop."""

    help = (
        "Write turns, notes and stages from the Redis stream into PostgreSQL, for ever. SIGTERM finishes "
        "the batch at hand. Several may run at once. Example: manage.py record"
    )

    #: Checks are the work of `make check`; a flaw in a page must not keep words out of the database.
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the recorder in this process."""
        stop = threading.Event()

        def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, ask_to_stop)
        stream = words_stream()
        try:
            Recorder(stream=stream, stop=stop).run()
        finally:
            stream.close()
