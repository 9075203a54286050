"""CSV that a spreadsheet shows as it is."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.kit.csv_text import csv_text


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+44 7700 900456",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "|calc",
        "%0",
        "＝1",
    ],
    ids=repr,
)
def test_what_would_begin_a_formula_is_made_a_text(cell: str) -> None:
    assert list(csv.reader(io.StringIO(csv_text([["a", cell]]), newline=""))) == [["a", f"'{cell}"]]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (None, ""),
        (7, "7"),
        ("a,b", '"a,b"'),
        ('say "so"', '"say ""so"""'),
        ("a=b", "a=b"),
        ("1\n2", '"1\n2"'),
    ],
    ids=repr,
)
def test_other_cells_are_written_as_they_are(cell: object, written: str) -> None:
    assert csv_text([[cell, "z"]]) == f"{written},z\r\n"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_no_cell_is_lost_and_none_begins_a_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_text(rows), newline="")))

    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert [
        cell for row in read for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))
    ] == []
