"""What is being said, read from the stream of words as it is spoken; the recorder is not disturbed."""

from __future__ import annotations

import time
from typing import Any

import redis
from django.conf import settings
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from outreach.domain.contracts import WORD, WORDS_FIELD, WORDS_STREAM, AnyWord

WORDS_AT_ONCE = 500


class WordFeed:
    """The words of every call from the moment at which it is made. Redis may be away: then it is silent."""

    def __init__(self) -> None:
        """Begin after everything that was said already."""
        # Any: the client's types know neither RESP3 nor decoded answers.
        self._redis: Any = redis.Redis.from_url(
            settings.REDIS_URL,
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        self.is_away = False
        self._last: Any = "$"
        try:
            newest = self._redis.xrevrange(WORDS_STREAM, count=1)
            self._last = newest[0][0] if newest else "0-0"
        except (redis.RedisError, OSError):
            self.is_away = True

    def read(self, *, seconds: float) -> list[AnyWord]:
        """Return what was said since the last time, waiting up to `seconds` for the first word."""
        try:
            answer = self._redis.xread(
                {WORDS_STREAM: self._last}, count=WORDS_AT_ONCE, block=max(1, int(seconds * 1000))
            )
        except (redis.RedisError, OSError):
            self.is_away = True
            time.sleep(seconds)
            return []
        self.is_away = False
        streams = answer.items() if isinstance(answer, dict) else answer or ()
        words = []
        for _stream, found in streams:
            for entry_id, fields in found[0] if found and isinstance(found[0], list) else found:
                self._last = entry_id
                try:
                    words.append(WORD.validate_json((fields or {}).get(WORDS_FIELD, "")))
                except ValidationError:
                    continue  # the recorder is who complains about it
        return words

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()
