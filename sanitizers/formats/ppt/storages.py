"""Storages of macros and objects among the parts: none is copied, but the rules see what is packed in them. [MS-PPT] 2.10.34, 2.10.39."""

from __future__ import annotations

import zlib
from typing import Final

from sanitizers.cfb import MAGIC
from sanitizers.context import Context
from sanitizers.formats.office import vba
from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.persist import Edit
from sanitizers.model import LimitExceeded, Malformed

_STORAGE: Final = 0x1011
_PACKED: Final = 1  # instance: behind a size of four bytes, zlib


def show(stream: bytes, edit: Edit, context: Context) -> str:
    """Each once, wherever the directory says that it lies. Returns the names of modules. Raises Malformed, LimitExceeded."""
    left = len(stream)
    modules: list[str] = []
    for at in sorted(set(edit.offsets.values())):
        try:
            record = records.one(stream, at)
        except Malformed:
            continue  # it is only wrong if something needs it
        if record.kind == _STORAGE:
            left -= len(record.data)
            if left < 0:
                raise Malformed("storages that overlap", code="ppt.malformed")
            data = _unpacked(record.data[4:], context) if record.instance == _PACKED else bytes(record.data)
            where = f"storage at {at}"
            context.scan_layer(data, where)
            if data.startswith(MAGIC) and (names := vba.describe(data, where, context)):
                modules.append(names)
    return ", ".join(modules)


def _unpacked(packed: memoryview, context: Context) -> bytes:
    """As far as it goes."""
    coder, cap = zlib.decompressobj(), context.budget.expanded_left
    try:
        data = coder.decompress(packed, cap + 1)
    except zlib.error:
        return b""
    if len(data) > cap:
        raise LimitExceeded("a packed storage")
    context.budget.spend_bytes(len(data))
    return data
