"""The words of Alex in a form: checked where they are typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from outreach.domain.script import InvalidScript, parse_script


class ScriptField(forms.CharField):
    """A script's body; what Alex cannot read is refused with the part that is wrong."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 18, "class": "desk-mono"})

    def __init__(self, **options: Any) -> None:
        """Say what a change does."""
        options = {
            "label": "Words of Alex",
            "required": False,
            "strip": False,
            "help_text": "Changing them makes the next version of the script, which calls from then on use; "
            "each call says which version it used. {placeholders} are filled per person.",
            **options,
        }
        super().__init__(**options)

    def clean(self, value: Any) -> str:
        """Return the text with the line ends that are stored.

        :raises ValidationError: when it cannot be read as a script.
        """
        body = str(super().clean(value)).replace("\r\n", "\n")
        if not body.strip():
            return ""
        try:
            parse_script(body)
        except InvalidScript as problem:
            raise ValidationError(str(problem)) from problem
        return body

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether other words were typed; browsers send line ends of their own."""
        typed = str(data or "").replace("\r\n", "\n").strip()
        return bool(typed) and typed != str(initial or "").strip()
