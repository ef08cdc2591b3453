"""Finding a transfer by what a person remembers of it: any piece of two or more characters of its sender, recipients, subject and names.

Japanese has no spaces to cut words at, so every run of three neighbouring characters stands in the index, of which a pair is the
beginning, and the texts in which all runs of a word are found are then read. What is one to a reader is one here: full and half width,
large and small letters, the usual variants of characters in personal names (髙 and 高).

SQLite: an FTS5 index without content and without places beside the texts, and beside it one of the pairs (`prefix`): in runs of two digits
half of all texts would agree. PostgreSQL: an inverted index (GIN) over the texts (`search_pieces`); its statistics tell the planner
whether a word is rare, and is looked up, or common, so that the youngest texts are simply read until the page is full.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from gateway.storage.tables import search_texts, transfers

# More of one transfer is not searched: a mail may name ten thousand recipients.
_LONGEST: Final = 4_000
_MOST_WORDS: Final = 8
_LONGEST_WORD: Final = 100
_MOST_PIECES: Final = 30
# Of an index that is made anew: texts at once, and bytes in memory; FTS5's own custom.
_BATCH: Final = 5_000
_RENEWING: Final = 64 << 20
_USUAL: Final = 1 << 20

_VARIANTS: Final = str.maketrans("髙﨑濵濱邊邉齋齊斎澤廣德桒栁嵜槗舘齒", "高崎浜浜辺辺斉斉斉沢広徳桑柳崎橋館歯")
# FTS5's `ascii` tokenizer cuts at ASCII signs: here they are letters like any other.
_AS_LETTER: Final = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}

_INDEX: Final = table("search_grams", column("rowid"), column("search_grams"))
_OLD: Final = select(search_texts.c.text).where(search_texts.c.transfer_id == bindparam("of_id"))
_NEW: Final = search_texts.insert()
_CHANGED: Final = search_texts.update().where(search_texts.c.transfer_id == bindparam("of_id"))
_PUT_ANEW: Final = postgresql_insert(search_texts)
_PUT: Final = _PUT_ANEW.on_conflict_do_update(index_elements=["transfer_id"], set_={"text": _PUT_ANEW.excluded.text})
_ADD: Final = text("INSERT INTO search_grams(rowid, grams) VALUES (:id, :grams)")
_TAKE_OUT: Final = text("INSERT INTO search_grams(search_grams, rowid, grams) VALUES ('delete', :id, :grams)")


def folded(written: str) -> str:
    """The form in which texts are compared."""
    return unicodedata.normalize("NFKC", written).casefold().translate(_VARIANTS)


def put(connection: Connection, transfer_id: int, pieces: Iterable[str]) -> None:
    """What a transfer is found by from now on; replaces what it was found by before."""
    new = joined(pieces)
    if connection.dialect.name != "sqlite":
        connection.execute(_PUT, {"transfer_id": transfer_id, "text": new})
        return
    old = connection.execute(_OLD, {"of_id": transfer_id}).scalar_one_or_none()
    if old == new:
        return
    if old is None:
        connection.execute(_NEW, {"transfer_id": transfer_id, "text": new})
    else:
        connection.execute(_TAKE_OUT, {"id": transfer_id, "grams": _grams(old)})
        connection.execute(_CHANGED, {"of_id": transfer_id, "text": new})
    connection.execute(_ADD, {"id": transfer_id, "grams": _grams(new)})


def take_out(connection: Connection, transfer_ids: Sequence[int]) -> None:
    """They are found by nothing any more."""
    gone = search_texts.c.transfer_id.in_(transfer_ids)
    if connection.dialect.name == "sqlite":
        for row in connection.execute(select(search_texts).where(gone)).all():
            connection.execute(_TAKE_OUT, {"id": row.transfer_id, "grams": _grams(row.text)})
    connection.execute(search_texts.delete().where(gone))


def renew(connection: Connection) -> None:
    """SQLite's index made anew from the texts: for a database whose index is of another form, or of none."""
    connection.execute(text("DROP TABLE IF EXISTS search_grams"))
    connection.execute(text("CREATE VIRTUAL TABLE search_grams USING fts5(grams, content='', tokenize='ascii', detail=none, prefix='2')"))
    _keep_in_memory(connection, _RENEWING)
    after = 0
    texts = select(search_texts.c.transfer_id, search_texts.c.text).order_by(search_texts.c.transfer_id).limit(_BATCH)
    while rows := connection.execute(texts.where(search_texts.c.transfer_id > after)).all():
        index(connection, [(row.transfer_id, row.text) for row in rows])
        after = rows[-1].transfer_id
    _keep_in_memory(connection, _USUAL)


def _keep_in_memory(connection: Connection, size: int) -> None:
    """How many bytes FTS5 collects before it writes a piece of the index, which has to be merged with the others later."""
    connection.execute(text("INSERT INTO search_grams(search_grams, rank) VALUES ('hashsize', :size)"), {"size": size})


def index(connection: Connection, rows: Iterable[tuple[int, str]]) -> None:
    """Texts that stand in the table, and in no index yet."""
    if connection.dialect.name == "sqlite":
        connection.execute(_ADD, [{"id": transfer_id, "grams": _grams(written)} for transfer_id, written in rows])


def joined(pieces: Iterable[str]) -> str:
    """The text of which a transfer's pieces are found."""
    return "\n".join(folded(piece).replace("\n", " ") for piece in pieces if piece)[:_LONGEST]


def narrowed(connection: Connection, statement: Select[Any], asked: str, bounds: tuple[int, int] | None = None) -> Select[Any]:
    """Only transfers in which every word of `asked` is found, the youngest first. Words are cut at white space; none finds all.

    `bounds`: first and last id that the statement asks for anyway, said to SQLite's index too, which else does not hear of them.
    """
    words = [word[:_LONGEST_WORD] for word in folded(asked).split()[:_MOST_WORDS]]
    if not words:
        return statement
    statement = statement.join(search_texts, search_texts.c.transfer_id == transfers.c.id)
    if connection.dialect.name != "sqlite":
        if pieces := " & ".join(piece for word in words for piece in _pieces(word)):
            statement = statement.where(func.search_pieces(search_texts.c.text).op("@@")(cast(pieces, TSQUERY)))
        return statement.where(*(search_texts.c.text.contains(word, autoescape=True) for word in words))
    statement = statement.where(*(func.instr(search_texts.c.text, word) > 0 for word in words))
    if not (runs := " AND ".join(run for word in words for run in _runs(word))):
        return statement
    # The index is walked from its young end, as far as the page needs: a word that stands in every mail costs no more than a rare one.
    if bounds is not None:
        statement = statement.where(_INDEX.c.rowid.between(*bounds))
    statement = statement.join(_INDEX, _INDEX.c.rowid == transfers.c.id).where(_INDEX.c.search_grams.op("MATCH")(runs))
    return statement.order_by(None).order_by(_INDEX.c.rowid.desc())


def _pieces(word: str) -> list[str]:
    """What a text that holds the word has in PostgreSQL's index; of one letter nothing is asked there."""
    if len(word) == 2:
        return [f"{_quoted(word)}:*"]
    return [_quoted(word[start : start + 3]) for start in range(len(word) - 2)][:_MOST_PIECES]


def _quoted(piece: str) -> str:
    return "'" + piece.replace("\\", "\\\\").replace("'", "''").replace("\0", "\ufffd") + "'"


def _grams(written: str) -> str:
    """Every run of three neighbours, as a word each, and the last pair."""
    letters = written.translate(_AS_LETTER)
    return " ".join([letters[start : start + 3] for start in range(len(letters) - 1)])


def _runs(word: str) -> list[str]:
    """What SQLite's index is asked for; of one letter nothing is, as in PostgreSQL's."""
    letters = word.translate(_AS_LETTER)
    if len(letters) == 2:
        return [f'"{letters}"*']
    return [f'"{letters[start : start + 3]}"' for start in range(len(letters) - 2)][:_MOST_PIECES]
