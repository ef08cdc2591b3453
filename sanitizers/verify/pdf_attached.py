"""Files attached to a rebuilt PDF: exactly those that the engine delivered, byte for byte."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.verify.pdf_walk import Walked, inflate

_FILE: Final = re.compile(rb"/EF<</F ([0-9]+) 0 R/UF \1 0 R>>")
_WORD: Final = re.compile(rb"/(?:E|#45)(?:F|#46)(?![^\x00\t\n\f\r ()<>\[\]{}/%])")
_SKIPPED: Final = re.compile(rb"\((?:[^()\\]++|\\[\x00-\xff])*+\)|<[0-9A-Fa-f]*+>")
_STREAM: Final = re.compile(rb"/Type ?/EmbeddedFile(?![^\x00\t\n\f\r ()<>\[\]{}/%])")


def check(walked: Walked, context: Context) -> None:
    """Raises VerificationFailed when a file is attached in another form, or is not one that came back from the engine."""
    delivered = {part.output.sha256 for part in context.parts if part.output is not None}
    named: set[int] = set()
    for text in (*walked.plain.values(), *(fields for fields, _ in walked.streams.values())):
        bare = _SKIPPED.sub(b" ", text)
        numbers = [int(number) for number in _FILE.findall(bare)]
        if len(numbers) != len(_WORD.findall(bare)):
            raise VerificationFailed("a file is attached in another form")
        named.update(numbers)
    for number in named:
        fields, body = walked.streams.get(number, (b"", b""))
        data = inflate(body) if b"/FlateDecode" in fields else body
        if hashlib.sha256(data).hexdigest() not in delivered:
            raise VerificationFailed("a file is attached that was not rebuilt")
    if named != {number for number, (fields, _) in walked.streams.items() if _STREAM.search(fields)}:
        raise VerificationFailed("a file is attached that no list names")
