"""libarchive over bytes in memory: one format and one filter at a time, no file, no external program, no character conversion.

Names come as the raw bytes of the archive; formats with Unicode names give UTF-8, for which the process must run in a UTF-8 locale.
Locale and time zone are set at import, before any jail. libarchive-c's own calls are not used: they log what the input says.
"""

from __future__ import annotations

import ctypes
import locale
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from libarchive import ffi

from sanitizers.model import Encrypted, LimitExceeded, Malformed, Refused, Unsupported
from sanitizers.source import Folding, Source

locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
# libarchive turns DOS times into Unix times with mktime(), which looks for /etc/localtime at every call unless TZ says it all.
os.environ["TZ"] = "UTC0"
time.tzset()

_OK: Final = 0
_END: Final = 1
_WARN: Final = -20
_STEP: Final = 1 << 20            # bytes per read


class Found(NamedTuple):
    """One member as libarchive shows it. `mode` has the Unix file type bits."""

    name: bytes
    mode: int
    linked: bool
    encrypted: bool


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function: Any = ffi.libarchive[f"archive_{name}"]
    function.restype, function.argtypes = result, arguments
    return function  # type: ignore[no-any-return]


_POINTER = ctypes.c_void_p
_read_new = _function("read_new", _POINTER)
_read_free = _function("read_free", ctypes.c_int, _POINTER)
_open_memory = _function("read_open_memory", ctypes.c_int, _POINTER, _POINTER, ctypes.c_size_t)
_next_header = _function("read_next_header", ctypes.c_int, _POINTER, ctypes.POINTER(_POINTER))
_read_data = _function("read_data", ctypes.c_ssize_t, _POINTER, _POINTER, ctypes.c_size_t)
_has_encrypted = _function("read_has_encrypted_entries", ctypes.c_int, _POINTER)
_add_passphrase = _function("read_add_passphrase", ctypes.c_int, _POINTER, ctypes.c_char_p)
_error_string = _function("error_string", ctypes.c_char_p, _POINTER)
_pathname = _function("entry_pathname", ctypes.c_char_p, _POINTER)
_pathname_utf8 = _function("entry_pathname_utf8", ctypes.c_char_p, _POINTER)
_filetype = _function("entry_filetype", ctypes.c_uint, _POINTER)
_hardlink = _function("entry_hardlink", ctypes.c_char_p, _POINTER)
_is_encrypted = _function("entry_is_encrypted", ctypes.c_int, _POINTER)

_FORMATS: Final = {
    name: _function(f"read_support_format_{name}", ctypes.c_int, _POINTER)
    for name in ("7zip", "rar", "rar5", "cab", "cpio", "ar", "lha", "iso9660", "tar", "zip", "raw")
}
_FILTERS: Final = {
    name: _function(f"read_support_filter_{name}", ctypes.c_int, _POINTER) for name in ("none", "zstd", "lz4", "compress")
}


class Reading:
    """An open archive. Use `entries`, and `read` for the entry that it has just given."""

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    def entries(self) -> Iterator[Found]:
        """Raises Malformed, Encrypted (an encrypted directory) and Unsupported."""
        entry = _POINTER()
        while True:
            result = _next_header(self._pointer, ctypes.byref(entry))
            if result == _END:
                return
            if result not in (_OK, _WARN):
                raise self._fault()
            yield Found(
                name=_pathname(entry) or _pathname_utf8(entry) or b"",
                mode=_filetype(entry),
                linked=_hardlink(entry) is not None,
                encrypted=_is_encrypted(entry) > 0,
            )

    def first(self, cap: int) -> Source:
        """The content of the first entry, see `read`. Raises Malformed where there is none."""
        if next(self.entries(), None) is None:
            raise Malformed("no member", code="archive.malformed")
        return self.read(cap)

    def read(self, cap: int) -> Source:
        """The current entry's content, at most `cap` bytes, else LimitExceeded. A bad checksum or a cut end is Malformed."""
        buffer = ctypes.create_string_buffer(_STEP)
        whole = Folding()
        while (count := _read_data(self._pointer, buffer, _STEP)) > 0:
            whole.add(ctypes.string_at(buffer, count))
            if whole.size > cap:
                raise LimitExceeded(f"member of more than {cap} bytes")
        if count < 0:
            raise self._fault()
        return whole.source()

    def _fault(self) -> Refused:
        said = _said(self._pointer)
        return Encrypted(said) if _has_encrypted(self._pointer) > 0 else _refusal(said)


def _said(pointer: int) -> str:
    return (_error_string(pointer) or b"").decode("ascii", "replace")


def _refusal(said: str) -> Refused:
    """What the library's words mean."""
    lowered = said.lower()
    if "encrypt" in lowered or "passphrase" in lowered:
        return Encrypted(said)
    if "memory" in lowered or "allocate" in lowered:
        return LimitExceeded(said)
    if "unsupported" in lowered or "not supported" in lowered:
        return Unsupported(said)
    return Malformed(said, code="archive.malformed")


@contextmanager
def reading(data: bytes, form: str, through: str = "none", passwords: tuple[bytes, ...] = ()) -> Iterator[Reading]:
    """Open `data` as libarchive's format `form` through one filter. Raises Malformed, LimitExceeded, Unsupported."""
    pointer = _read_new()
    try:
        _FILTERS[through](pointer)
        _FORMATS[form](pointer)
        for password in passwords:
            if password and b"\0" not in password:
                _add_passphrase(pointer, password)
        # After a failed open only the error text may be asked for: libarchive 3.6 then holds a wild pointer to its format.
        if _open_memory(pointer, ctypes.cast(ctypes.c_char_p(data), _POINTER), len(data)) != _OK:
            raise _refusal(_said(pointer))
        yield Reading(pointer)
    finally:
        _read_free(pointer)
