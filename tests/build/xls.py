"""Workbooks of Excel 97 record by record, so that anything can be put anywhere in them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher
from msoffcrypto.method.xor_obfuscation import DocumentXOR

from tests.build import cfb

CANARY = "CANARY-71e4"
GLOBALS, WORKSHEET, CHART, MACRO = 0x05, 0x10, 0x20, 0x40


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def text(value: str, width: str = "H") -> bytes:
    return struct.pack(f"<{width}B", len(value), 1) + value.encode("utf-16-le")


def begin(kind: int, version: int = 0x0600) -> bytes:
    return record(0x0809, struct.pack("<HHHHII", version, kind, 0, 0, 0, 0))


END = record(0x000A)


def number(row: int, col: int, value: float, style: int = 15) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, col, style, value))


def label(row: int, col: int, index: int, style: int = 15) -> bytes:
    return record(0x00FD, struct.pack("<HHHI", row, col, style, index))


def formula(row: int, col: int, tokens: bytes, value: float = 42.0, extra: bytes = b"") -> bytes:
    return record(0x0006, struct.pack("<HHHdHIH", row, col, 15, value, 0, 0, len(tokens)) + tokens + extra)


def name(called: str, tokens: bytes, *, flags: int = 0, built_in: int | None = None, scope: int = 0) -> bytes:
    letters = chr(built_in) if built_in is not None else called
    head = struct.pack("<HBBHHH4x", flags | (0x20 if built_in is not None else 0), 0, len(letters), len(tokens), 0, scope)
    return record(0x0018, head + b"\x01" + letters.encode("utf-16-le") + tokens)


def font(face: str = "ＭＳ Ｐゴシック", *, weight: int = 400, colour: int = 0x7FFF) -> bytes:
    return record(0x0031, struct.pack("<HHHHHBBBB", 220, 0, colour, weight, 0, 0, 0, 128, 0) + text(face, "B"))


def cell_format(number_format: int = 0, used: int = 0, fill: int = 0) -> bytes:
    return record(0x00E0, struct.pack("<HHHBBBBIIH", used, number_format, 1, 0x20, 0, 0, 0, 0, fill << 26, 0x1A0A))


def number_format(index: int, code: str) -> bytes:
    return record(0x041E, struct.pack("<H", index) + text(code))


def shared(texts: Sequence[str | bytes]) -> bytes:
    """Texts, or the bytes of whole strings with what hangs on them."""
    pieces = [one if isinstance(one, bytes) else text(one) for one in texts]
    return record(0x00FC, struct.pack("<II", len(pieces), len(pieces)) + b"".join(pieces))


INSIDE = record(0x01AE, struct.pack("<H", 1) + b"\x01\x04")      # SUPBOOK of the workbook itself
BESIDE = record(0x01AE, struct.pack("<H", 1) + text(f"\x01{CANARY}.xls") + text("Sheet1"))


def references(*places: tuple[int, int, int]) -> bytes:
    return record(0x0017, struct.pack("<H", len(places)) + b"".join(struct.pack("<HHH", *one) for one in places))


class Sheet:
    """`kind`: of the table of sheets (0 sheet, 1 macro, 2 chart); `inside`: of its BOF."""

    def __init__(self, called: str, *records: bytes, kind: int = 0, inside: int = WORKSHEET, state: int = 0) -> None:
        self.called = called
        self.records = records
        self.kind = kind
        self.inside = inside
        self.state = state


TEXTS = ("本文", "ソ能表①㈱髙")
STYLES = (font(), *[cell_format()] * 16)


def stream(
    *sheets: Sheet,
    before: Sequence[bytes] = (),
    styles: Sequence[bytes] = STYLES,
    texts: Sequence[str | bytes] = TEXTS,
    table: bytes | None = None,
) -> bytes:
    """A workbook stream; `before` stands in the globals, ahead of the texts, of which `table` are the records if they are given."""
    given = sheets or (sheet(),)
    globals_ = [begin(GLOBALS), record(0x0042, b"\xb0\x04"), *styles]
    after = [*before, shared(texts) if table is None else table, END]
    entries = [struct.pack("<BB", one.state, one.kind) + text(one.called, "B") for one in given]
    at = sum(map(len, globals_)) + sum(8 + len(entry) for entry in entries) + sum(map(len, after))
    for one, entry in zip(given, entries, strict=True):
        globals_.append(record(0x0085, struct.pack("<I", at) + entry))
        at += len(begin(one.inside)) + sum(map(len, one.records)) + len(END)
    return b"".join((*globals_, *after, *(begin(one.inside) + b"".join(one.records) + END for one in given)))


def sheet(*records: bytes, called: str = "表1") -> Sheet:
    """With 本文 in A1 and 12.5 in B1."""
    return Sheet(called, label(0, 0, 0), number(0, 1, 12.5), *records)


def workbook(*sheets: Sheet, before: Sequence[bytes] = (), streams: dict[str, bytes] | None = None, **options: bytes) -> bytes:
    return cfb.compound({"Workbook": stream(*sheets, before=before), **(streams or {})}, **options)


def properties(kind: str, values: dict[int, str], names: dict[int, str] | None = None) -> bytes:
    """A property set of texts in UTF-16."""
    body: dict[int, bytes] = {1: struct.pack("<Ih2x", 2, 1200)}
    if names:
        entries = [struct.pack("<II", n, len(one) + 1) + (one + "\0").encode("utf-16-le").ljust((2 * len(one) + 5) // 4 * 4, b"\0") for n, one in names.items()]
        body[0] = struct.pack("<I", len(names)) + b"".join(entries)
    for n, value in values.items():
        encoded = (value + "\0").encode("utf-16-le")
        body[n] = struct.pack("<II", 0x1F, len(value) + 1) + encoded.ljust(-(-len(encoded) // 4) * 4, b"\0")
    at, table = 8 + 8 * len(body), b""
    for n, one in body.items():
        table += struct.pack("<II", n, at)
        at += len(one)
    data = struct.pack("<II", at, len(body)) + table + b"".join(body.values())
    return struct.pack("<HHI16xI", 0xFFFE, 0, 0, 1) + bytes.fromhex(kind) + struct.pack("<I", 48) + data


def rc4(given: bytes, password: str, *, crypto_api: bool = False) -> bytes:
    """A workbook stream under a password: [MS-OFFCRYPTO] 2.3.6 and 2.3.5. Every record's data but that of those which stay plain."""
    salt, verifier = bytes(range(16)), bytes(range(100, 116))
    digest, key = (hashlib.sha1, _key_api) if crypto_api else (hashlib.md5, _key_plain)
    cipher = Cipher(ARC4(key(password, salt, 0)), None).encryptor()
    proof = cipher.update(verifier) + cipher.update(digest(verifier).digest())
    if crypto_api:
        header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + "x\0".encode("utf-16-le")
        said = struct.pack("<HHHII", 1, 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + salt + proof[:16] + struct.pack("<I", 20) + proof[16:]
    else:
        said = struct.pack("<HHH", 1, 1, 1) + salt + proof
    locked = record(0x002F, said)
    first = 4 + struct.unpack_from("<H", given, 2)[0]
    plain = _moved(given[:first] + locked + given[first:], len(locked))
    stream_ = b"".join(
        Cipher(ARC4(key(password, salt, number)), None).encryptor().update(bytes(1024)) for number in range(-(-len(plain) // 1024))
    )
    made, at = bytearray(plain), 0
    while at < len(plain):
        kind, size = struct.unpack_from("<HH", plain, at)
        start = at + (8 if kind == 0x85 else 4)
        if kind not in (0x0809, 0x002F):
            made[start : at + 4 + size] = bytes(a ^ b for a, b in zip(plain[start : at + 4 + size], stream_[start:], strict=False))
        at += 4 + size
    return bytes(made)


def masked(given: bytes, password: str, *, short: bool = False) -> bytes:
    """A workbook stream under the mask of sixteen bytes: [MS-OFFCRYPTO] 2.3.7.2; `short` is the FilePass of BIFF5."""
    key, mask = _xor_key(password), _xor_mask(password)
    locked = record(0x002F, (b"" if short else b"\0\0") + struct.pack("<HH", key, _xor_verifier(password)))
    first = 4 + struct.unpack_from("<H", given, 2)[0]
    plain = _moved(given[:first] + locked + given[first:], len(locked))
    made, at = bytearray(plain), 0
    while at < len(plain):
        kind, size = struct.unpack_from("<HH", plain, at)
        skipped = 4 if kind == 0x85 else 0
        for place in range(at + 4 + skipped, at + 4 + size) if kind not in (0x0809, 0x002F) else ():
            turned = (plain[place] << 5 | plain[place] >> 3) & 0xFF
            made[place] = turned ^ mask[(place + size) % 16]
        at += 4 + size
    return bytes(made)


def _xor_verifier(password: str) -> int:
    """[MS-OFFCRYPTO] 2.3.7.1."""
    found = 0
    for one in reversed([len(password), *password.encode()]):
        found = (found >> 14 & 1 | found << 1 & 0x7FFF) ^ one
    return found ^ 0xCE4B


def _xor_key(password: str) -> int:
    """[MS-OFFCRYPTO] 2.3.7.2, CreateXorKey_Method1: the tables are those that its linear registers run through."""
    start, step = (0xE1F0, 0x1D0F, 0xCC9C, 0x84C0, 0x110C, 0x0E10, 0xF1CE, 0x313E, 0x1872, 0xE139, 0xD40F, 0x84F9, 0x280C, 0xA96A, 0x4EC3), DocumentXOR.xor_matrix
    key, at = start[len(password) - 1], 0x68
    for one in reversed(password.encode()):
        for bit in range(6, -1, -1):
            key ^= step[at] if one >> bit & 1 else 0
            at -= 1
    return key


def _xor_mask(password: str) -> bytes:
    padding = bytes.fromhex("bbffffbaffffb98000be0f00bf0f00")
    key = _xor_key(password).to_bytes(2, "little")
    said = (password.encode() + padding)[:16]
    return bytes((one ^ key[at % 2]) >> 1 | (one ^ key[at % 2]) << 7 & 0x80 for at, one in enumerate(said))


def _moved(given: bytes, by: int) -> bytes:
    """The table of sheets, after something was put before the sheets."""
    made, at = bytearray(given), 0
    while at < len(given):
        kind, size = struct.unpack_from("<HH", given, at)
        if kind == 0x85:
            struct.pack_into("<I", made, at + 4, struct.unpack_from("<I", given, at + 4)[0] + by)
        at += 4 + size
    return bytes(made)


def _key_plain(password: str, salt: bytes, block: int) -> bytes:
    first = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    second = hashlib.md5((first + salt) * 16).digest()[:5]
    return hashlib.md5(second + struct.pack("<I", block)).digest()


def _key_api(password: str, salt: bytes, block: int) -> bytes:
    return hashlib.sha1(hashlib.sha1(salt + password.encode("utf-16-le")).digest() + struct.pack("<I", block)).digest()[:16]
