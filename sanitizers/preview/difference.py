"""What differs between two files: lines that were added or went, and how alike their pages look. Each is read in a child of its own."""

from __future__ import annotations

import difflib
import zlib
from collections import Counter
from typing import Final

from PIL import Image

from sanitizers.model import Kind, Malformed, Refused
from sanitizers.preview import drawing, pages, reading
from sanitizers.preview.room import Room
from sanitizers.preview_words import MOST_COMPARED, MOST_LINES, Change, Difference, Gist
from sanitizers.source import Source
from sanitizers.verify import pdf_drawing

_SIDE, _REDUCTION = pdf_drawing.CONTENT
_SECONDS: Final = 8.0
_CONTEXT: Final = 2             # equal lines told around each that differs
# Lines of one by lines of the other: what is compared line by line in order; beyond that only which lines there are counts.
_MOST_PAIRS: Final = 4_000_000
_SIZE: Final = 4                # bytes of width and of height before the pixels


def gist(source: Source, kind: Kind, name: str, room: Room) -> tuple[Gist, str]:
    """What another file is compared with; and why there is nothing to compare, if so."""
    said, cut, fault = reading.told(source, kind, name, room)
    try:
        count = drawing.count(source, kind, room)
        drawn = _fingerprints(source, kind, count, room)
    except Refused as refusal:
        return Gist(lines=said, cut=cut), fault or refusal.reason
    return Gist(lines=said, cut=cut, pages=drawn, count=count), fault


def between(before: Gist, after: Gist) -> Difference:
    """Raises Malformed where `before` is not what this module made."""
    changes, equal = _changes(before.lines, after.lines)
    alike = tuple(
        round(pdf_drawing.likeness(_picture(one), _picture(other), _REDUCTION), 4)
        for one, other in zip(before.pages, after.pages, strict=False)
        if one and other
    )
    return Difference(
        changes=tuple(changes[:MOST_LINES]),
        cut=before.cut or after.cut or len(changes) > MOST_LINES,
        lines=(len(before.lines), len(after.lines)),
        equal=equal,
        pages=(before.count, after.count),
        alike=alike,
    )


def _changes(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[list[Change], int]:
    """The difference in order, and how many lines stand in both."""
    start = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), min(len(before), len(after)))
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old and not new:
        return [], len(before)
    told = _by_count(old, new) if len(old) * len(new) > _MOST_PAIRS else _in_order(old, new)
    kept = sum(change.sign == " " for change in told)
    head = [Change(sign=" ", text=text) for text in before[:start]]
    tail = [Change(sign=" ", text=text) for text in before[len(before) - end :]]
    return _folded([*head, *told, *tail]), start + end + kept


def _in_order(old: tuple[str, ...], new: tuple[str, ...]) -> list[Change]:
    told: list[Change] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > MOST_LINES // 2)
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            told += [Change(sign=" ", text=text) for text in old[i:j]]
        else:
            told += [Change(sign="-", text=text) for text in old[i:j]]
            told += [Change(sign="+", text=text) for text in new[k:m]]
    return told


def _by_count(old: tuple[str, ...], new: tuple[str, ...]) -> list[Change]:
    """Without their order."""
    left, right = Counter(old), Counter(new)
    kept = left & right
    return [
        *(Change(sign=" ", text=text) for text in kept.elements()),
        *(Change(sign="-", text=text) for text in (left - kept).elements()),
        *(Change(sign="+", text=text) for text in (right - kept).elements()),
    ]


def _folded(told: list[Change]) -> list[Change]:
    """Long runs of equal lines are left out but for those beside a change."""
    near = bytearray(len(told))
    for at, change in enumerate(told):
        if change.sign != " ":
            near[max(0, at - _CONTEXT) : at + _CONTEXT + 1] = b"\1" * (min(len(told), at + _CONTEXT + 1) - max(0, at - _CONTEXT))
    shown: list[Change] = []
    skipped = 0
    for change, wanted in zip(told, near, strict=True):
        if not wanted:
            skipped += 1
            continue
        if skipped:
            shown.append(Change(sign="…", text=str(skipped)))
            skipped = 0
        shown.append(change)
    return [*shown, Change(sign="…", text=str(skipped))] if skipped else shown


# ---------------------------------------------------------------------------------------------------------------- pictures


def _fingerprints(source: Source, kind: Kind, count: int, room: Room) -> tuple[bytes, ...]:
    pdf_drawing.allow(_SECONDS)
    if kind is Kind.PDF:
        with pages.opened(source, room) as document:
            drawn = [pdf_drawing.draw(document, index, _SIDE, annotated=False) for index in range(min(count, MOST_COMPARED))]
        return tuple(b"" if picture is None else _packed(picture) for picture in drawn)
    return tuple(_packed(_grey(drawing.draw(source, kind, index, _SIDE, room))) for index in range(min(count, MOST_COMPARED)))


def _grey(picture: Image.Image) -> Image.Image:
    picture.thumbnail((_SIDE, _SIDE))
    return picture.convert("L")


def _packed(picture: Image.Image) -> bytes:
    width, height = picture.size
    return width.to_bytes(_SIZE, "big") + height.to_bytes(_SIZE, "big") + zlib.compress(picture.tobytes(), 6)


def _picture(packed: bytes) -> Image.Image:
    width, height = (int.from_bytes(packed[at : at + _SIZE], "big") for at in (0, _SIZE))
    if not 0 < width * height <= _SIDE * _SIDE:
        raise Malformed("no fingerprint")
    try:
        pixels = zlib.decompressobj().decompress(packed[2 * _SIZE :], width * height)
        return Image.frombytes("L", (width, height), pixels)
    except (zlib.error, ValueError):
        raise Malformed("no fingerprint") from None
