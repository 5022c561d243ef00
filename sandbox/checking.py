"""Every check of the code but its tests: `make check`; with names, `make check ARGS="lint types"`."""

from __future__ import annotations

import subprocess
import sys

from sandbox.bootstrap import say

CHECKS = (
    ("formatting", ("-m", "ruff", "format", "--check", ".")),
    ("lint", ("-m", "ruff", "check", ".")),
    ("types", ("-m", "mypy", ".")),
    ("imports", ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")),
    ("Django's checks", ("-m", "tests.embedded")),
)


def main(names: list[str]) -> int:
    """Run the checks of these names, all without any; return the exit status."""
    failed = []
    for name, command in CHECKS:
        if names and name not in names:
            continue
        say(f"— {name}")
        if subprocess.run([sys.executable, *command], check=False).returncode:
            failed.append(name)
    say(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
