"""Files as people send them: encodings, separators, line ends, and damage."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from outreach.services.import_reading import UnreadableFile, fingerprint, open_table
from outreach.services.import_records import MAX_LINES_IN_A_ROW, DamagedRow, Record

pytestmark = pytest.mark.unit

LIST = "Name,Phone\nJosé,+34600000000\n"


def rows_of(content: bytes | str) -> tuple[str, list[str], list[Record | DamagedRow]]:
    """Return separator, headers and rows of a file."""
    source = io.BytesIO(content.encode() if isinstance(content, str) else content)
    with open_table(source, encoding=fingerprint(source).encoding) as table:
        return table.delimiter, list(table.headers), list(table.rows)


class TestEncoding:
    @pytest.mark.parametrize(
        ("content", "encoding", "doubtful"),
        [
            (LIST.encode(), "utf-8", False),
            (LIST.encode("utf-8-sig"), "utf-8-sig", False),
            (LIST.encode("utf-16"), "utf-16", False),
            (b"\xfe\xff" + LIST.encode("utf-16-be"), "utf-16", False),
            (LIST.encode("latin-1"), "cp1252", True),
            (LIST.replace("José", "“José” €").encode("cp1252"), "cp1252", True),
            (LIST.encode() + "Zoë,1\nÅsa,2\n".encode() + b"Ren\xe9,3\n", "utf-8", True),
        ],
    )
    def test_is_found_out(self, content: bytes, encoding: str, doubtful: bool) -> None:
        look = fingerprint(io.BytesIO(content))
        assert look.encoding == encoding
        assert bool(look.doubt) is doubtful
        assert rows_of(content)[2][0].cells[0].strip("“” €") == "José"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "empty"),
            (b"PK\x03\x04rest", "workbook"),
            (b"%PDF-1.7", "PDF"),
            ("Name".encode("utf-16-le"), "UTF-16"),
        ],
    )
    def test_of_what_is_no_list_is_refused(self, content: bytes, said: str) -> None:
        with pytest.raises(UnreadableFile, match=said):
            fingerprint(io.BytesIO(content))


class TestLinesAboveTheHeader:
    @pytest.mark.parametrize(
        "title", ["Exported 2026-11-01\n", "Report;;\n\n(all regions);;\n", "Kunden, Nord\n"]
    )
    def test_are_passed_over_and_told(self, title: str) -> None:
        source = io.BytesIO(f"{title}Name;Phone;Team\nRuiz, Ana;+34600000000;A, B\n".encode())
        look = fingerprint(source)
        with open_table(source, encoding=look.encoding) as table:
            assert (table.delimiter, table.headers) == (";", ["Name", "Phone", "Team"])
            assert [row.line for row in table.rows] == [title.count("\n") + 2]
            assert "is no row of the list" in look.with_doubt_of(table).doubt

    def test_are_rows_where_no_header_follows(self) -> None:
        assert rows_of("Rome\nParis\nOslo\n")[1:] == (["Rome"], [Record(2, ["Paris"]), Record(3, ["Oslo"])])


class TestSeparator:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_and_line_end_are_found_out(self, separator: str, line_end: str) -> None:
        lines = [["Name", "Phone", "City"], ["Ruiz, Ana", "+34600000000", "a; b | c"]]
        content = "".join(separator.join(f'"{cell}"' for cell in line) + line_end for line in lines)
        assert rows_of(content) == (separator, lines[0], [Record(2, lines[1])])

    def test_may_be_named_on_the_first_line(self) -> None:
        assert rows_of("sep=;\r\nName;Phone\r\na;b\r\n") == (";", ["Name", "Phone"], [Record(3, ["a", "b"])])

    def test_is_not_misled_by_commas_within_cells(self) -> None:
        assert rows_of("Name;Phone\nRuiz, A., B., C.;1\n")[2] == [Record(2, ["Ruiz, A., B., C.", "1"])]


class TestRows:
    def test_skip_blank_lines_and_count_them(self) -> None:
        assert rows_of("\n\nName,Phone\n\n , \na,b\n")[2] == [Record(6, ["a", "b"])]

    def test_may_span_lines_within_quotes(self) -> None:
        rows = rows_of('Name,"Phone\nnumber"\n"a\nb",1\nc,2\n')[2]
        assert rows == [Record(3, ["a\nb", "1"]), Record(5, ["c", "2"])]

    def test_need_no_line_end_at_the_end_of_the_file(self) -> None:
        assert rows_of("Name,Phone\na,b")[2] == [Record(2, ["a", "b"])]

    @pytest.mark.parametrize("following", [1, MAX_LINES_IN_A_ROW + 10])
    def test_after_a_quote_that_is_never_closed_are_all_read(self, following: int) -> None:
        damaged, *others = rows_of('Name,Phone\n"a,1\n' + "b,2\n" * following)[2]
        assert isinstance(damaged, DamagedRow)
        assert (damaged.line, damaged.code, damaged.cells) == (2, "quote_not_closed", ['"a', "1"])
        assert others == [Record(3 + n, ["b", "2"]) for n in range(following)]

    def test_after_a_quote_that_another_row_closes_are_all_read(self) -> None:
        rows = rows_of('Name,Phone,City\na,"1,x\nb,2,"Rome"\nc,3,y\n')[2]
        assert [(row.line, isinstance(row, DamagedRow)) for row in rows] == [
            (2, True),
            (3, False),
            (4, False),
        ]

    @pytest.mark.parametrize(
        ("cell", "read"),
        [('"Ana "Nena" Ruiz"', 'Ana Nena" Ruiz"'), ('"Ana ""Nena"" Ruiz"', 'Ana "Nena" Ruiz'), ('5"', '5"')],
    )
    def test_keep_a_stray_quote(self, cell: str, read: str) -> None:
        assert rows_of(f"Name,Phone\n{cell},1\nb,2\n")[2] == [Record(2, [read, "1"]), Record(3, ["b", "2"])]

    def test_survive_a_line_of_ten_megabytes_in_bounded_memory(self) -> None:
        content = b"Name,Phone\na,1\n" + b"x" * 10_000_000 + b"\nb,2\n"
        tracemalloc.start()
        rows = rows_of(content)[2]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [(row.line, getattr(row, "code", "")) for row in rows] == [
            (2, ""),
            (3, "line_too_long"),
            (4, ""),
        ]
        assert peak < len(content) + 8_000_000

    def test_survive_a_cell_longer_than_any(self) -> None:
        rows = rows_of("Name,Phone\n" + "x" * 140_000 + ",1\nb,2\n")[2]
        assert [(row.line, getattr(row, "code", "")) for row in rows] == [(2, "cell_too_long"), (3, "")]

    def test_leave_the_source_open(self) -> None:
        source = io.BytesIO(LIST.encode())
        with open_table(source, encoding="utf-8") as table:
            next(table.rows)
        assert not source.closed


class TestHeader:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\n \n\n", "no header"),
            (b"x" * 300_000 + b"\na,b\n", "header cannot be read"),
            (b"Name,Pho\0ne\na,b\n", "NUL"),
        ],
    )
    def test_that_is_missing_or_damaged_refuses_the_file(self, content: bytes, said: str) -> None:
        with pytest.raises(UnreadableFile, match=said):
            rows_of(content)
