#!/usr/bin/env python
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] in (["up"], ["rehearse"]):
        # These bring what the settings are read from: servers, ports, a rehearsal's keys. Imported
        # here, because no other command needs the sandbox to be there.
        from outreach.management.commands._entering import enter_environment

        enter_environment(sys.argv[1], sys.argv[2:])
    else:
        from outreach.management.joining import join_running

        join_running(Path(__file__).resolve().parent)
        if sys.stderr.isatty():
            # Whoever types a command is told by the command itself; its log lines are for machines.
            os.environ.setdefault("LOG_LEVEL", "WARNING")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except ImproperlyConfigured as problem:
        sys.exit(
            f"{problem}\nFor a rehearsal without any account, start `make up` in another terminal first."
        )


if __name__ == "__main__":
    main()
