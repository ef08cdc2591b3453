"""The input, read by qpdf (with its recovery) and handed out as plain data, one object at a time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

import pikepdf

from sanitizers.context import Context
from sanitizers.formats.pdf import passwords, spaced
from sanitizers.formats.pdf.values import Dictionary, Ref, Stream, Value
from sanitizers.model import Encrypted, LimitExceeded, Malformed
from sanitizers.source import Source

_DECODED: Final = 64 << 20      # what qpdf itself may inflate: object streams and cross-reference streams
_READ_ERRORS: Final = (
    pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.DeletedObjectError, ValueError, TypeError, RuntimeError, KeyError,
)
# What qpdf says of security handlers other than the standard one.
_NO_PASSWORD: Final = re.compile(r"unsupported encryption (?:filter|algorithm|method)|unsupported /[RV]\b", re.IGNORECASE)
_OPENED: Final = re.compile(r"(?:stream )?<_io\.BytesIO object at \w+>:? ?")     # how pikepdf calls what it opened

pikepdf.settings.set_qpdf_limits(
    flate_max_memory=_DECODED, png_max_memory=_DECODED, run_length_max_memory=_DECODED, tiff_max_memory=_DECODED
)


class Reader:
    """One open input. `password` is the one that opened it, None when it is not encrypted."""

    def __init__(self, pdf: pikepdf.Pdf, password: str | None, source: Source) -> None:
        self._pdf = pdf
        self.source = source
        self._objects: dict[Ref, Value] = {}
        self.password = password
        self.trailer: Dictionary = _dictionary(_parse(pdf.trailer))
        self.version = pdf.pdf_version

    def warnings(self) -> list[str]:
        """What qpdf had to say since it was asked last. Raises LimitExceeded when an object stream was too large for it."""
        found = [str(warning) for warning in self._pdf.get_warnings()]
        if any("memory limit" in text for text in found):
            raise LimitExceeded("an object stream expands too far")
        return found

    def resolve(self, value: Value) -> Value:
        """What a reference refers to, a broken one to null; to qpdf no object is a reference itself."""
        if type(value) is not Ref:
            return value
        return self._objects[value] if value in self._objects else self._load(value)

    def dictionary(self, value: Value) -> Dictionary:
        """The dictionary behind `value` (a stream's own one too), or an empty one."""
        return _dictionary(self.resolve(value))

    def array(self, value: Value) -> list[Value]:
        """The array behind `value`, or an empty one."""
        value = self.resolve(value)
        return value if isinstance(value, list) else []

    def _load(self, ref: Ref) -> Value:
        try:
            found = self._pdf.get_object(ref.number, ref.generation)
            value = _stream(found, ref) if isinstance(found, pikepdf.Stream) else _parse(found)
        except _READ_ERRORS:
            value = None  # every viewer takes an unreadable object for null
        self._objects[ref] = value
        return value


def open_pdf(source: Source, context: Context) -> Reader:
    """Tries the empty password, then the candidates. Raises Encrypted, Malformed, LimitExceeded."""
    data = source.bytes()
    for password, spelling in _candidates(context):
        try:
            pdf = pikepdf.open(io.BytesIO(data), password=spelling, conversion_mode="explicit", inherit_page_attributes=False)
        except pikepdf.PasswordError:
            continue
        except (pikepdf.PdfError, RuntimeError, ValueError, TypeError) as error:
            if "memory" in str(error) and "limit" in str(error):
                raise LimitExceeded("an object stream expands too far") from error
            if _NO_PASSWORD.search(str(error)):
                raise Encrypted("encrypted for certain persons or by a rights service: no password opens it") from error
            raise Malformed(f"no reader can open it: {_OPENED.sub('', str(error))[:200]}") from error
        return Reader(pdf, password if pdf.is_encrypted else None, source)
    raise Encrypted("none of the passwords opens it")


def _candidates(context: Context) -> Iterator[tuple[str, bytes]]:
    """The empty password, then those given, in every spelling."""
    for password in ("", *context.passwords):
        for spelling in passwords.spellings(password):
            yield password, spelling


def _parse(found: pikepdf.Object | None) -> Value:
    return None if found is None else spaced.parse(found.unparse(resolved=True))


def _stream(found: pikepdf.Stream, ref: Ref) -> Stream:
    fields = spaced.parse(found.stream_dict.unparse(resolved=True))

    def raw() -> bytes:
        try:
            return bytes(found.get_raw_stream_buffer())
        except _READ_ERRORS:
            return b""

    return Stream(_dictionary(fields), ref, raw)


def _dictionary(value: Value) -> Dictionary:
    if isinstance(value, Stream):
        return value.fields
    return value if isinstance(value, dict) else {}
