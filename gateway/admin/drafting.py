"""A rule drafted from what was seen in a transfer: a text for a person to look at and to change, never one that is put in force."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.model import Transfer
from sanitizers.model import Report, Seen

_SHORTEST: Final = 4                    # bytes; less says nothing about anything
_MOST: Final = 8
_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


class Draft(NamedTuple):
    """The file that it would be, and its text."""

    name: str
    text: str


def draft(transfer: Transfer, report: Report | None, author: str) -> Draft:
    """Of severity low: it tells and stops nothing until a person has raised it."""
    number = _NAME.sub("_", transfer.receipt_no)
    pieces = list(dict.fromkeys(_pieces(report)))[:_MOST]
    strings = [f"        $p{at} = {{ {_hex(one)} }}    // {_shown(one)}" for at, one in enumerate(pieces, 1)]
    kind = f'kind == "{report.input.kind}" and ' if report is not None else ""
    body = ["    strings:", *strings, "    condition:", f"        {kind}all of them"] if strings else [
        "    // まだ何も見つかっていません。探す文字列を書いてください。 / nothing was seen yet: write what to look for",
        "    condition:", f"        {kind}size == {transfer.size}",
    ]  # fmt: skip
    lines = [f"// {transfer.receipt_no}", "", f"rule Local_{number}", "{", "    meta:", '        severity = "low"',
             f'        author = "{_NAME.sub("-", author)}"', *body, "}", ""]  # fmt: skip
    return Draft(f"local_{number}.yar", "\n".join(lines))


def _pieces(report: Report | None) -> Iterator[str]:
    if report is None:
        return
    for part in report.tree():
        for match in part.matches:
            yield from (one.bytes for one in match.seen if len(one.bytes) >= 2 * _SHORTEST)


def dump(seen: Seen) -> dict[str, str]:
    """For people: where, the bytes in hex, the same as letters."""
    return {"name": seen.name, "at": f"0x{seen.offset:08x}", "hex": _hex(seen.bytes), "text": _shown(seen.bytes)}


def _hex(digits: str) -> str:
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def _shown(digits: str) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in bytes.fromhex(digits))
