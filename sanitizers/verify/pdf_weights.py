"""What drawing a page of a rebuilt PDF costs, counted before anything is drawn: a form inside a form inside a form multiplies."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from sanitizers.verify.pdf_walk import Walked, inflate

# A page engine reads a byte of content in about the time in which it decodes twelve samples of a picture.
_PIXELS_PER_BYTE: Final = 12
_MAX_NESTED: Final = 64
ENDLESS: Final = 1 << 62

_PAGES: Final = re.compile(rb"/Pages ([0-9]+) 0 R")
_KIDS: Final = re.compile(rb"/Kids\[([0-9 R]*)\]")
_CONTENTS: Final = re.compile(rb"/Contents(?: ([0-9]+) 0 R|\[([0-9 R]*)\])")
_REFERENCE: Final = re.compile(rb"([0-9]+) 0 R")
_DRAWN: Final = re.compile(rb"/(?:XObject|Pattern)<<((?:/[^\x00\t\n\f\r ()<>\[\]{}/%]* [0-9]+ 0 R)*)>>")
_ENTRY: Final = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*) ([0-9]+) 0 R")
_USE: Final = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)[\x00\t\n\f\r ]+(?:Do|scn|SCN)(?![^\x00\t\n\f\r ()<>\[\]{}/%])")
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_SIDES: Final = re.compile(rb"/(?:Width|Height) ([0-9]+)")
_SOFT_MASK: Final = re.compile(rb"/S?Mask ([0-9]+) 0 R")


def page_numbers(walked: Walked) -> list[int]:
    """The objects that are pages, in their order; the page tree of a rebuilt file is flat."""
    pages = _PAGES.search(walked.dictionary(walked.root))
    kids = _KIDS.search(walked.dictionary(int(pages[1]))) if pages else None
    return [int(number) for number in _REFERENCE.findall(kids[1])] if kids else []


class Weights:
    """Weighs pages of one file; what several pages share is read once."""

    def __init__(self, walked: Walked) -> None:
        self._walked = walked
        self._known: dict[int, int] = {}

    def page(self, number: int) -> int:
        """Bytes of content that are read to draw a page, forms as often as drawn; of pictures a twelfth of the samples."""
        text = self._walked.dictionary(number)
        contents = _CONTENTS.search(text)
        streams = _REFERENCE.findall(contents[0]) if contents else []
        return self._content(text, [self._body(int(stream)) for stream in streams], 0)

    def _body(self, number: int) -> bytes:
        fields, body = self._walked.streams.get(number, (b"", b""))
        return inflate(body) if b"/Filter/FlateDecode" in fields else body

    def _content(self, fields: bytes, bodies: list[bytes], depth: int) -> int:
        """Content with the resources that `fields` names."""
        total = sum(map(len, bodies))
        entries = {_plain(name): int(number) for group in _DRAWN.findall(fields) for name, number in _ENTRY.findall(group)}
        if not entries or not total:
            return total
        uses = Counter(_plain(name) for body in bodies for name in _USE.findall(body))
        return min(ENDLESS, total + sum(self._object(entries[name], depth + 1, count) for name, count in uses.items() if name in entries))

    def _object(self, number: int, depth: int, count: int) -> int:
        """A picture is decoded once however often it is drawn, a form or a pattern is read each time."""
        fields = self._walked.dictionary(number)
        if b"/Subtype/Image" in fields:
            mask = _SOFT_MASK.search(fields)
            return count + _samples(fields) + (_samples(self._walked.dictionary(int(mask[1]))) if mask else 0)
        if depth > _MAX_NESTED:
            return ENDLESS
        if number not in self._known:
            self._known[number] = self._content(fields, [self._body(number)], depth)
        return count * self._known[number]


def _samples(fields: bytes) -> int:
    sides = [int(side) for side in _SIDES.findall(fields)]
    return sides[0] * sides[1] // _PIXELS_PER_BYTE if len(sides) == 2 else 0


def _plain(name: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), name)
