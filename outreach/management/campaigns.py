"""Finding a campaign by the name that somebody typed."""

from __future__ import annotations

from difflib import get_close_matches

from django.core.management.base import CommandError

from outreach.models import Campaign


def find_campaign(name: str) -> Campaign:
    """Return the campaign of this name, in any case.

    :raises CommandError: if there is none; names the nearest ones.
    """
    campaign = Campaign.objects.filter(name=name).first()
    if campaign is not None:
        return campaign
    names = {
        known.casefold(): known for known in Campaign.objects.order_by("name").values_list("name", flat=True)
    }
    same = names.get(name.casefold())
    if same is not None:
        return Campaign.objects.get(name=same)
    raise CommandError(f'There is no campaign "{name}". {_suggestion(name, names)}')


def _suggestion(name: str, names: dict[str, str]) -> str:
    if not names:
        return "There is no campaign at all yet: create one in the admin."
    typed = name.casefold()
    within = [known for known in names if typed in known]
    near = dict.fromkeys([*get_close_matches(typed, names, n=3, cutoff=0.5), *within[:3]])
    if near:
        quoted = [f'"{names[known]}"' for known in near]
        return f"Did you mean {' or '.join(quoted)}?"
    first = ", ".join(f'"{known}"' for known in list(names.values())[:5])
    return f"There is {first}{' …' if len(names) > 5 else ''}."
