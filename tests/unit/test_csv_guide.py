"""The sample can be imported as it is, and the guide names every column."""

from __future__ import annotations

import csv
import io

import pytest

from outreach.domain.csv_columns import match_columns
from outreach.domain.csv_guide import column_guide, sample_list
from outreach.domain.csv_headers import Field
from outreach.domain.csv_person import RowReader
from outreach.domain.csv_rows import RowRules

pytestmark = pytest.mark.unit


def test_the_sample_has_no_problem() -> None:
    headers, *rows = csv.reader(io.StringIO(sample_list()))
    rules = RowRules(default_country="US", consent_basis="", consent_source="")
    reader = RowReader(columns=match_columns(headers), rules=rules)
    read = [reader.read(line=line, cells=cells) for line, cells in enumerate(rows, start=2)]
    assert [row.problems for row in read] == [[], [], []]
    assert all(row.person is not None and not row.person.hold_reason for row in read)


def test_the_guide_names_every_column() -> None:
    columns = [row[0] for row in csv.reader(io.StringIO(column_guide()))]
    assert {field.value.replace("_", " ") for field in Field} <= set(columns)
