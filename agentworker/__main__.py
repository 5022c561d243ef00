"""`python -m agentworker`: the production worker."""

from __future__ import annotations

import sys

from agentworker.main import run

if __name__ == "__main__":
    sys.exit(run())
