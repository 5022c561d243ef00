"""What a server that answers in threads or on a loop does once, before the first request."""

from __future__ import annotations

import gc

from django.urls import get_resolver


def load_views() -> None:
    """Load all views now, and let the garbage collector pass over what was ever imported.

    Whoever asks first would else wait for the one, and somebody from time to time for the other: a tenth of
    a second at the webhooks, a fifth at five of a hundred pages.
    """
    get_resolver().check()
    gc.collect()
    gc.freeze()
