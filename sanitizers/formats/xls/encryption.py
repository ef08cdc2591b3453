"""Workbooks under a password: [MS-OFFCRYPTO] 2.3.5 to 2.3.7, [MS-XLS] 2.2.10."""

from __future__ import annotations

from sanitizers.context import Context
from sanitizers.formats.xls import records
from sanitizers.model import Encrypted


def plain(stream: bytes, context: Context) -> bytes:
    """The stream with its records in the clear. Raises Encrypted when no password fits."""
    for number, (kind, _, _) in enumerate(records.heads(stream)):
        if kind == records.FILEPASS:
            raise Encrypted("none of the passwords opens it")
        if number > 4:  # noqa: PLR2004 - it stands right behind the BOF
            break
    return stream
