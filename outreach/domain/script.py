"""Alex's script as a text with placeholders: read into its parts, and rendered for one person.

Format: Markdown. `## opening: KIND`, `## closing line` and `## voicemail line` each hold one thing
that Alex says word for word; all other sections together are his instructions. `{name}` is filled
per call; `{extra.field}` takes a free field of the person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from outreach.domain.contracts import OpeningKind

OPENINGS: tuple[OpeningKind, ...] = get_args(OpeningKind)
PLACEHOLDERS = frozenset(
    {
        "company",
        "platform",
        "platform_facts",
        "callback_number",
        "person_name",
        "organisation",
        "language",
        "now_local",
        "time_zone",
        "callback_hours",
    }
)

_HEADING = re.compile(
    r"^##\s+(opening:\s*(?P<opening>[a-z_]+)|(?P<line>closing line|voicemail line))\s*$", re.I
)
_ANY_HEADING = re.compile(r"^#{1,2}\s+\S")
_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_ -]+)?)\}")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.S)
MAX_VALUE = 300
"""Characters that one person's field may put into the script."""


class InvalidScript(ValueError):
    """The script cannot be read; the message says which part and what to do."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """A script in its parts, placeholders not filled yet."""

    instructions: str
    openings: Mapping[OpeningKind, str]
    closing_line: str
    voicemail_line: str


def parse_script(body: str) -> Script:
    """Return the parts of a script.

    :raises InvalidScript: when a part is missing, doubled or empty, or a placeholder is not known.
    """
    instructions: list[str] = []
    spoken: dict[str, list[str]] = {}
    target = instructions
    for line in _COMMENT.sub("", body).splitlines():
        heading = _HEADING.match(line)
        if heading:
            name = (heading["opening"] or heading["line"]).lower()
            if name in spoken:
                raise InvalidScript(f'The section "{name}" is there twice; keep one.')
            target = spoken.setdefault(name, [])
            continue
        if target is not instructions and _ANY_HEADING.match(line):
            target = instructions
        target.append(line)
    _check_placeholders(body)
    lines = {name: " ".join(" ".join(text).split()) for name, text in spoken.items()}
    return Script(
        instructions="\n".join(instructions).strip(),
        openings={kind: _part(lines, kind, f"## opening: {kind}") for kind in OPENINGS},
        closing_line=_part(lines, "closing line", "## closing line"),
        voicemail_line=_part(lines, "voicemail line", "## voicemail line"),
    )


def _part(lines: Mapping[str, str], name: str, heading: str) -> str:
    text = lines.get(name, "")
    if not text:
        raise InvalidScript(f'The section "{heading}" is missing or empty; add it with what Alex says.')
    return text


def _check_placeholders(body: str) -> None:
    for name in _PLACEHOLDER.findall(_COMMENT.sub("", body)):
        if name not in PLACEHOLDERS and not name.startswith("extra."):
            known = ", ".join(sorted(PLACEHOLDERS))
            raise InvalidScript(
                f"{{{name}}} is not known. Known: {known}, and extra.FIELD for a column of the list."
            )


def render(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders filled; a value that is missing becomes empty.

    Values are data of strangers: one line each, bounded, without braces, so that none of them can
    open a section or a placeholder of its own.
    """

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1], "")
        if match[1] == "platform_facts":
            return value
        return " ".join(value.replace("{", "(").replace("}", ")").split())[:MAX_VALUE]

    return re.sub(r" +([,.!?])", r"\1", _PLACEHOLDER.sub(fill, text))


def placeholders_of(text: str) -> set[str]:
    """Return the names of the placeholders in a text of a script."""
    return set(_PLACEHOLDER.findall(_COMMENT.sub("", text)))
