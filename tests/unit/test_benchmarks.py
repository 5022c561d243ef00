"""What a benchmark says is judged without anybody looking: goals, ratios, exit status."""

from __future__ import annotations

import json
import os
import sys

import pytest

from benchmarks import __main__ as every
from benchmarks import figures, offered, processes
from benchmarks.figures import Figure, Report

pytestmark = pytest.mark.unit

FAST = Figure(name="calls", value=41.0, unit="/s", at_least=40)
SLOW = Figure(name="calls", value=39.9, unit="/s", at_least=40)
BIG = Figure(name="memory", value=1.3, unit="GB", at_most=1.2)
EXPLAINS = Figure(name="bare psycopg", value=1000.0, unit="/s")


class TestFigure:
    @pytest.mark.parametrize(
        ("figure", "met"),
        [
            (FAST, True),
            (SLOW, False),
            (BIG, False),
            (Figure(name="p99", value=100.0, at_most=100), True),
            (Figure(name="share", value=0.5, at_least=0.5), True),
            (Figure(name="share", value=float("nan"), at_least=0.5), False),
            (EXPLAINS, True),
        ],
    )
    def test_meets_its_goal_or_misses_it(self, figure: Figure, met: bool) -> None:
        assert figure.is_met is met

    def test_shows_its_goal_beside_it(self) -> None:
        lines = Report(benchmark="dial", figures=[FAST, EXPLAINS, BIG]).lines()
        assert lines[0] == "dial"
        assert lines[1].split() == ["calls", "41.0", "/s", "≥", "40.0", "met"]
        assert lines[2].split() == ["bare", "psycopg", "1,000", "/s"]
        assert lines[3].split()[-1] == "MISSED"


class TestReport:
    @pytest.mark.parametrize(
        ("shown", "status"),
        [([FAST, EXPLAINS], 0), ([FAST, SLOW], 1), ([], 1)],
        ids=["met", "one missed", "nothing measured"],
    )
    def test_decides_the_exit_status(self, shown: list[Figure], status: int) -> None:
        assert Report(benchmark="dial", figures=shown).status == status

    def test_says_everything_as_json(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def measure(report: Report) -> None:
            report.figures.append(SLOW)

        monkeypatch.setattr(sys, "argv", ["benchmarks.dial", "--json"])
        assert figures.main("dial", measure, description="") == 1
        said = json.loads(capsys.readouterr().out)
        assert (said["benchmark"], said["met"]) == ("dial", False)
        assert said["figures"][0]["goal"] == "≥ 40.0"
        assert said["machine"]["cores"] >= 1


class TestRatios:
    def test_are_taken_round_by_round(self) -> None:
        assert figures.ratios([50.0, 10.0], [100.0, 40.0]) == [0.5, 0.25]

    def test_are_none_of_rounds_that_do_not_belong_together(self) -> None:
        with pytest.raises(ValueError, match="longer"):
            figures.ratios([1.0], [1.0, 2.0])

    @pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100)])
    def test_leave_a_percentile_to_what_was_measured(self, share: float, expected: int) -> None:
        assert figures.percentile(range(1, 101), share) == expected


class TestEveryBenchmark:
    def test_is_found_by_being_startable(self) -> None:
        assert {"claim", "dial", "memory", "record", "talk", "webhook"} <= set(every.names())
        assert not {"figures", "stage", "people"} & set(every.names())

    @pytest.mark.parametrize(("missed", "status"), [(set(), 0), ({"dial"}, 1)])
    def test_counts_towards_the_one_exit_status(
        self, monkeypatch: pytest.MonkeyPatch, missed: set[str], status: int
    ) -> None:
        monkeypatch.setattr(every, "run", lambda name: name not in missed)
        assert every.main([]) == status

    def test_that_does_not_exist_is_said_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert every.main(["flying"]) == 2
        assert "There is no benchmark flying" in capsys.readouterr().out


LIST = """
<a href="?o=1">Name</a> <a href="?">All</a> <a href="/elsewhere/?o=2">Other</a> <a href="?p=2">2</a>
<form id="toolbar"><select name="action"><option value="delete">Delete</option></select></form>
<form id="filter-form">
  <select name="state"><option value="">All</option><option value="open">Open</option></select>
  <input type="radio" name="by" value="alex"><input type="number" name="attempts_from">
</form>
"""


class TestWhatAListOffers:
    def test_is_each_option_of_each_filter_and_nothing_else(self) -> None:
        assert list(offered.filters(LIST)) == ["state=open", "by=alex", "attempts_from=3"]

    def test_is_each_column_and_page(self) -> None:
        assert list(offered.sorts(LIST)) == ["o=1", "p=2"]


class TestProcesses:
    def test_have_time_and_memory(self) -> None:
        assert os.getpid() in processes.tree(os.getpid())
        assert processes.cpu_seconds(os.getpid()) > 0
        assert processes.pss_bytes(os.getpid()) > 1_000_000

    def test_that_have_ended_have_none(self) -> None:
        assert processes.pss_bytes(2**22 + 1) == 0
