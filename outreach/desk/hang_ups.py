"""At which stage people hang up, version by version of a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum

from outreach.domain.contracts import STAGES
from outreach.domain.tally import Thing, What
from outreach.models import ScriptVersion, Tally

#: Versions that are compared, the newest first.
VERSIONS = 6


@dataclass(frozen=True, kw_only=True)
class HangUps:
    """How often people hung up on one version without an answer, by the stage that Alex was at."""

    script_id: int
    version: int
    n_talks: int
    """Calls that a person answered."""
    n_hang_ups: int
    stages: Sequence[tuple[str, int, int]]
    """Stage, hang-ups, and their share of the talks in percent."""


def hang_ups_of(script: ScriptVersion) -> list[HangUps]:
    """Return the hang-ups of the newest versions of this script that anybody has heard."""
    counted: dict[tuple[int, int], dict[tuple[str, str], int]] = {}
    wanted = Q(thing=Thing.STAGE.value) | Q(thing=Thing.CALLS.value, key=What.HUMAN.value)
    rows = Tally.objects.filter(wanted, script__name=script.name).order_by()
    for version, script_id, thing, key, n in rows.values_list(
        "script__version", "script_id", "thing", "key"
    ).annotate(sum=Sum("n")):
        counted.setdefault((version, script_id), {})[thing, key] = n
    return [_of_version(key, counted[key]) for key in sorted(counted, reverse=True)[:VERSIONS]]


def _of_version(key: tuple[int, int], counted: dict[tuple[str, str], int]) -> HangUps:
    version, script_id = key
    talks = counted.get((Thing.CALLS.value, What.HUMAN.value), 0)
    at = {stage: n for (thing, stage), n in counted.items() if thing == Thing.STAGE.value and n}
    order = [stage for stage in (*STAGES, *sorted(at.keys() - set(STAGES))) if stage in at]
    return HangUps(
        script_id=script_id,
        version=version,
        n_talks=talks,
        n_hang_ups=sum(at.values()),
        stages=[(stage, at[stage], round(100 * at[stage] / talks) if talks else 0) for stage in order],
    )
