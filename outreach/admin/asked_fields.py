"""What a campaign wants to know from each conversation, as an operator writes it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from outreach.domain.summary import NAME

#: More than this a conversation of a few minutes does not answer, and no page shows well.
MOST_FIELDS = 12
LONGEST_QUESTION = 200


class AskedFieldsField(forms.Field):
    """Fields to read out of each conversation, one a line: "groups: What groups do they work with?"."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "class": "desk-mono"})

    def prepare_value(self, value: Any) -> Any:
        """Return the stored fields as lines; what somebody typed stays as it is."""
        if not isinstance(value, list):
            return value
        return "\n".join(f"{field['name']}: {field['question']}" for field in value)

    def to_python(self, value: Any) -> list[dict[str, str]]:
        """Return the lines as fields.

        :raises ValidationError: naming the line that cannot be read.
        """
        fields: list[dict[str, str]] = []
        for line in filter(None, (line.strip() for line in str(value or "").splitlines())):
            name, _, question = (part.strip() for part in line.partition(":"))
            if not NAME.fullmatch(name) or not question:
                raise ValidationError(f"“{line}”: write it as “groups: What groups do they work with?”.")
            if len(question) > LONGEST_QUESTION:
                raise ValidationError(f"“{name}”: a question has at most {LONGEST_QUESTION} characters.")
            if any(field["name"] == name for field in fields):
                raise ValidationError(f"“{name}” is there twice.")
            fields.append({"name": name, "question": question})
        if len(fields) > MOST_FIELDS:
            raise ValidationError(f"At most {MOST_FIELDS} fields can be read out of a conversation.")
        return fields

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether the lines mean something else than what is stored."""
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True
