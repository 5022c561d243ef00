"""What every admin page shows: the mode, and the menu."""

from __future__ import annotations
