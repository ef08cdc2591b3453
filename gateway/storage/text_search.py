"""Finding a transfer by what a person remembers of it: any piece of two or more characters of its sender, recipients, subject and names.

Japanese has no spaces to cut words at, so every pair of neighbouring characters stands in the index, and a piece is found as its pairs
one after the other. What is one to a reader is one here: full and half width, large and small letters, the usual variants of
characters in personal names (髙 and 高).

SQLite: an FTS5 index without content beside the texts, of pairs. PostgreSQL: an inverted index (GIN) of runs of three characters over
the texts (`search_pieces`), of which a pair is the beginning; its statistics tell the planner whether a word is rare, and is looked up,
or common, so that the youngest texts are simply read until the page is full.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Select, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from gateway.storage.tables import search_texts, transfers

# More of one transfer is not searched: a mail may name ten thousand recipients.
_LONGEST: Final = 4_000
_MOST_WORDS: Final = 8
_LONGEST_WORD: Final = 100
_MOST_PIECES: Final = 30

_VARIANTS: Final = str.maketrans("髙﨑濵濱邊邉齋齊斎澤廣德桒栁嵜槗舘齒", "高崎浜浜辺辺斉斉斉沢広徳桑柳崎橋館歯")
# FTS5's `ascii` tokenizer cuts at ASCII signs: here they are letters like any other.
_AS_LETTER: Final = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}

_INDEX: Final = table("search_grams", column("rowid"), column("search_grams"))
_ADD: Final = text("INSERT INTO search_grams(rowid, grams) VALUES (:id, :grams)")
_TAKE_OUT: Final = text("INSERT INTO search_grams(search_grams, rowid, grams) VALUES ('delete', :id, :grams)")


def folded(written: str) -> str:
    """The form in which texts are compared."""
    return unicodedata.normalize("NFKC", written).casefold().translate(_VARIANTS)


def put(connection: Connection, transfer_id: int, pieces: Iterable[str]) -> None:
    """What a transfer is found by from now on; replaces what it was found by before."""
    new = _text(pieces)
    if connection.dialect.name != "sqlite":
        statement = postgresql_insert(search_texts).values(transfer_id=transfer_id, text=new)
        connection.execute(statement.on_conflict_do_update(index_elements=["transfer_id"], set_={"text": new}))
        return
    old = connection.execute(select(search_texts.c.text).where(search_texts.c.transfer_id == transfer_id)).scalar_one_or_none()
    if old == new:
        return
    if old is None:
        connection.execute(search_texts.insert(), {"transfer_id": transfer_id, "text": new})
    else:
        connection.execute(_TAKE_OUT, {"id": transfer_id, "grams": _grams(old)})
        connection.execute(search_texts.update().where(search_texts.c.transfer_id == transfer_id).values(text=new))
    connection.execute(_ADD, {"id": transfer_id, "grams": _grams(new)})


def put_new(connection: Connection, many: Iterable[tuple[int, Iterable[str]]]) -> None:
    """The same for many at once that are found by nothing yet."""
    rows = [(transfer_id, _text(pieces)) for transfer_id, pieces in many]
    connection.execute(search_texts.insert(), [{"transfer_id": transfer_id, "text": written} for transfer_id, written in rows])
    index(connection, rows)


def index(connection: Connection, rows: Iterable[tuple[int, str]]) -> None:
    """Texts that stand in the table, and in no index yet."""
    if connection.dialect.name == "sqlite":
        connection.execute(_ADD, [{"id": transfer_id, "grams": _grams(written)} for transfer_id, written in rows])


def _text(pieces: Iterable[str]) -> str:
    return "\n".join(folded(piece).replace("\n", " ") for piece in pieces if piece)[:_LONGEST]


def narrowed(connection: Connection, statement: Select[Any], asked: str, bounds: tuple[int, int] | None = None) -> Select[Any]:
    """Only transfers in which every word of `asked` is found, the youngest first. Words are cut at white space; none finds all.

    `bounds`: first and last id that the statement asks for anyway, said to SQLite's index too, which else does not hear of them.
    """
    words = [word[:_LONGEST_WORD] for word in folded(asked).split()[:_MOST_WORDS]]
    if connection.dialect.name != "sqlite":
        statement = statement.join(search_texts, search_texts.c.transfer_id == transfers.c.id)
        if pieces := " & ".join(piece for word in words for piece in _pieces(word)):
            statement = statement.where(func.search_pieces(search_texts.c.text).op("@@")(cast(pieces, TSQUERY)))
        return statement.where(*(search_texts.c.text.contains(word, autoescape=True) for word in words))
    if not words:
        return statement
    # The index is walked from its young end, as far as the page needs: a word that stands in every mail costs no more than a rare one.
    found = _INDEX.c.search_grams.op("MATCH")(" AND ".join(_phrase(word) for word in words))
    if bounds is not None:
        statement = statement.where(_INDEX.c.rowid.between(*bounds))
    return statement.join(_INDEX, _INDEX.c.rowid == transfers.c.id).where(found).order_by(None).order_by(_INDEX.c.rowid.desc())


def _pieces(word: str) -> list[str]:
    """What a text that holds the word has in PostgreSQL's index; of one letter nothing is asked there."""
    if len(word) == 2:
        return [f"{_quoted(word)}:*"]
    return [_quoted(word[start : start + 3]) for start in range(len(word) - 2)][:_MOST_PIECES]


def _quoted(piece: str) -> str:
    return "'" + piece.replace("\\", "\\\\").replace("'", "''").replace("\0", "\ufffd") + "'"


def _grams(written: str) -> str:
    """Every pair of neighbours, as a word each; the last character alone ends the row."""
    letters = written.translate(_AS_LETTER)
    return " ".join(letters[start : start + 2] for start in range(len(letters)))


def _phrase(word: str) -> str:
    letters = word.translate(_AS_LETTER)
    if len(letters) == 1:
        return f'"{letters}"*'
    return '"' + " ".join(letters[start : start + 2] for start in range(len(letters) - 1)) + '"'
