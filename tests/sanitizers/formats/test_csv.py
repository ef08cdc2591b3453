"""CSV and TSV: nothing that a spreadsheet would run, everything else as it was."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizers.formats import csv as subject
from sanitizers.model import Kind, LimitExceeded, Limits, Verdict
from tests.build.context import run, sanitize
from tests.build.text import ENCODINGS, encoded


def clean(text: str | bytes, name: str = "a.csv") -> tuple[str, list[str]]:
    """The new text, and where a formula was found."""
    data = text if isinstance(text, bytes) else text.encode()
    rebuilt, context = sanitize(subject.SANITIZER, data, Kind.CSV, name)
    return rebuilt.content.bytes().decode("utf-8"), [finding.where for finding in context.findings if finding.code == "csv.formula"]


TABLE = '氏名,電話,増減,備考\r\n"山田, 太郎",03-1234-5678,-1,"二行の\r\n備考"\r\n髙橋㈱①,+81-3-1234-5678,"-1,234.50",ソ表能\r\n'


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_ordinary_table_keeps_every_byte(encoding: str) -> None:
    data = encoded(TABLE, encoding)
    outcome = run(data, "a.csv")
    assert outcome.content is not None
    assert outcome.content.bytes() == data
    assert (outcome.report.verdict, outcome.report.findings) == (Verdict.CLEAN, ())


@pytest.mark.parametrize(
    "cell",
    [
        "-1", "+1", "-1.5", "-1234.50", "+81-3-1234-5678", "-12.5%", "-1.5E+10", "-2026/11/20", "+09:00", "−3", "＋５", "－１２", "-¥100", "-$5",
        "-", "－", "---", "ー", "+", "-(1)", "a=b", "a@b.jp", "'=1", "100-1", "(=1)", "x-y", "", " ", "1e-5", "-1 234",
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["{},x\n", "x,{}\r\n", 'x,"{}",y\n', "x\n{}\n", "x;{}\n", "x\t{}\n"])
def test_numbers_and_dashes_stay(cell: str, frame: str) -> None:
    text = frame.format(cell)
    assert clean(text) == (text, [])


DANGERS = ["=1+1", "=cmd|' /C calc'!A0", "+1+cmd|x!A", "-1+cmd|x!A", "@SUM(1)", "＝1", "＋A1(x)", "－A1(x)", "＠SUM(1)", '=HYPERLINK(""x"")', "-2+3+cmd|' /C calc'!A0", "−A(1)"]


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("", ",x\n", "A1"), ("x,", "\n", "B1"), ("x\r\ny,", "\r\n", "B2"), ('x,"', '",y\n', "B1"), ('"a\nb",', "\n", "B1"), ("x, ", "\n", "B1"),
        ("x,\u3000", "\n", "B1"), ('x,""', "\n", "B1"), ("a\rb,", "\r", "B2"), ("x," * 27, "\n", "AB1"), ("\ufeff", ",x\n", "A1"),
    ],
)  # fmt: skip
def test_a_cell_that_would_run_gets_an_apostrophe(danger: str, before: str, after: str, where: str) -> None:
    out, places = clean(before + danger + after)
    assert out.removeprefix("\ufeff") == (before + "'" + danger + after).removeprefix("\ufeff")
    assert places == [where]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a;=1,x,y,z\n", "a;'=1,x,y,z\n"),                      # a program that takes another delimiter
        ("a|@x,b,c,d\n", "a|'@x,b,c,d\n"),
        ("a;-cmd|x!A,b,c,d\n", "a;'-cmd|x!A,b,c,d\n"),
        ('x,"a\n=1"\n', 'x,"a\n\'=1"\n'),                        # a program that breaks quoted cells at line ends
        ('x,"a\n-cmd|x!A"\n', 'x,"a\n\'-cmd|x!A"\n'),
        ("sep=;\na;=1\n", "sep=;\na;'=1\n"),
        ("sep=^\na^=1\n", "sep=^\na^'=1\n"),
        ("SEP=x\naxx=1\n", "SEP=x\naxx'=1\n"),
        ('x,"\t=1"\n', "x,\"'\t'=1\"\n"),
        ("x,\tabc\n", "x,'\tabc\n"),
        ('x,"\rabc"\n', "x,\"'\rabc\"\n"),
        ("x,\u200b=1\n", "x,'=1\n"),
        ("name,\x00=1\n", "name,'=1\n"),
        ("x,\u202e=1\n", "x,'=1\n"),
        ("=,b\n", "'=,b\n"),
        ('x,"+"cmd|a!b\n', 'x,"\'+"cmd|a!b\n'),                # a cell goes on behind its closing quote
        ('x,"-1"+cmd|a!b\n', 'x,"\'-1"+cmd|a!b\n'),
        ('x,"-1\n+cmd|a!b"\n', 'x,"\'-1\n\'+cmd|a!b"\n'),
        ('x,"-1""+cmd|a!b"\n', 'x,"\'-1""+cmd|a!b"\n'),
        ('="0123",b(1)\n', '\'="0123",b(1)\n'),                # another delimiter makes it one formula
        ('="0123",cmd|x!A\n', '\'="0123",cmd|x!A\n'),
        ('="0123"&A1,b\n', '\'="0123"&A1,b\n'),
        ('="01""23",b\n', '\'="01""23",b\n'),
        ('="0,1",b\n', '\'="0,1",b\n'),
        ('a;="0123",b,c\n', 'a;\'="0123",b,c\n'),
        ('x,"=""0123""+1"\n', 'x,"\'=""0123""+1"\n'),
        ('x,"=""0123"""&cmd|x!A\n', 'x,"\'=""0123"""&cmd|x!A\n'),
    ],
)  # fmt: skip
def test_cell_starts_of_every_reading(text: str, left: str) -> None:
    assert clean(text)[0] == left


@pytest.mark.parametrize("cell", ['="00123"', '"=""00123"""', '="0-1/2.3 A"', '=""', '="東京都"', '"=""ア-01"""'])
@pytest.mark.parametrize("frame", ["{},x\n", "x,{}\r\n", "x,{},y\n", "x\n{}\n", "x;{}\n", "x\t{}\n"])
def test_constants_that_keep_zeros_stay(cell: str, frame: str) -> None:
    text = frame.format(cell)
    assert clean(text) == (text, [])
    outcome = run(text.encode("cp932"), "a.csv")
    assert outcome.content is not None
    assert outcome.content.bytes() == text.encode("cp932")


@pytest.mark.parametrize("text", ["a;-b,c,d,e\n", 'x,"- 一\n- 二"\n'.replace('"- 一', '"・一'), "x,y;- z\n", "a\tb\t-1\t\tc\n", "a|b,c,d\n"])
def test_punctuation_inside_cells_stays(text: str) -> None:
    assert clean(text) == (text, [])


def test_tabs_are_the_delimiter_of_a_tsv() -> None:
    assert clean("a\t-1\t\t=1\n", "a.tsv") == ("a\t-1\t\t'=1\n", ["D1"])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_formulas_in_every_encoding(encoding: str) -> None:
    outcome = run(encoded("氏名,値\r\n髙橋㈱,=1+1\r\n", encoding), "a.csv")
    assert outcome.content is not None
    assert outcome.content.bytes() == encoded("氏名,値\r\n髙橋㈱,'=1+1\r\n", encoding)
    assert [(f.code, f.where) for f in outcome.report.findings] == [("csv.formula", "B2")]


def test_many_formulas_are_counted() -> None:
    rebuilt, context = sanitize(subject.SANITIZER, b"=1\n" * 50, Kind.CSV, "a.csv")
    assert rebuilt.content.bytes() == b"'=1\n" * 50
    assert [f.where for f in context.findings][:3] == ["A1", "A2", "A3"]
    assert context.findings[-1].detail == "30 more"


def test_cells_are_counted() -> None:
    limits = Limits(cells=10)
    sanitize(subject.SANITIZER, b"a,b\n" * 3, Kind.CSV, "a.csv", limits=limits)
    with pytest.raises(LimitExceeded, match="cells"):
        sanitize(subject.SANITIZER, b"a,b\n" * 6, Kind.CSV, "a.csv", limits=limits)


def runs(cell: str) -> bool:
    """A sign that calculates, and more behind it than a number or dashes up to the next delimiter of any kind."""
    start = cell.lstrip(' "\t\r')
    if re.match(r'="+[a1 -]*"+(?:$|[,;\t\r\n])', start) and not re.search(r"[(!|]", start):
        return False                    # a constant that keeps its zeros
    return start.startswith(("=", "@", "+", "＝")) and bool(set(re.split(r"[,;|\t\r\n]", start)[0]) - set('+- 1("'))


PIECES = st.lists(st.sampled_from(["=", '="1"', '=""1""', "+", "-", "@", "＝", "\t", "\r", "\n", "\r\n", ",", ";", "|", '"', '""', " ", "a", "1", "(", "!", "'", "sep=;"]), max_size=14)


@settings(max_examples=800, deadline=None)
@given(PIECES)
def test_twice_is_once_and_no_reader_sees_a_formula(pieces: list[str]) -> None:
    once, _ = clean("".join(pieces))
    assert clean(once) == (once, [])
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(once, newline=""), delimiter=delimiter):
            assert not [cell for cell in row if runs(cell)], once


@pytest.mark.parametrize(
    "data", [b";=a" * 200_000, b";-" * 200_000, b'"=",' * 200_000, b"," + b" " * 500_000 + b"=", b'"' + b"\n-" * 200_000, b"-1" + b" " * 300_000 + b"x", b'"' * 400_000]
)
def test_hostile_tables_take_linear_time(data: bytes) -> None:
    rebuilt, _ = sanitize(subject.SANITIZER, data, Kind.CSV, "a.csv")
    assert len(rebuilt.content) >= len(data)
