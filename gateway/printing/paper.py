"""What a paper is made of: plain data, laid out by `gateway.printing.document.printed`.

    paper = Paper(
        title="無害化証明書 / Certificate of sanitisation",
        number="文書番号 20261120-000123",                   # in the foot of every page; empty: none
        issued="令和8年11月20日",                             # at the right under the title; empty: none
        blocks=(
            Facts((("受付番号 / Receipt", "20261120-000123"), ("結果 / Verdict", "無害化済み"))),
            Heading("内容 / Findings"),
            Table(("ファイル / File", "内容 / Details"), (("様式1.xlsm", "マクロを除去しました"),), widths=(1, 2)),
            Paragraph("この証明書は…"),
        ),
    )
    data = printed(paper)                                    # bytes of a PDF 1.7, the same for the same paper

Every text may be of any length and hold any character: lines are broken by Japanese rules (禁則), rows and pages too; a line feed in a
text begins a new line. Nothing in a text is a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """Stays on the page of what follows. `level` 1 (chapter) or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`small`: notes under a table."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a row. `share`: what part of the width the names take."""

    rows: tuple[tuple[str, str], ...]
    share: float = 0.3


@dataclass(frozen=True, slots=True)
class Table:
    """`head` is repeated on each page. `widths`: relative, one a column; empty: all alike. A row shorter than the head is filled up with
    empty cells. Numbers (`right`: columns from 0) stand at the right. `empty`: what is said where there are no rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    right: frozenset[int] = frozenset()
    empty: str = "なし / none"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Boxes for names or seals (決裁欄), each under its title, at the right."""

    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows begins on the next page."""


Block: TypeAlias = Heading | Paragraph | Facts | Table | Signatures | NewPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A4. `wide`: landscape. `organisation` stands at the left of the head of every page."""

    title: str
    blocks: tuple[Block, ...]
    number: str = ""
    issued: str = ""
    organisation: str = ""
    wide: bool = False
