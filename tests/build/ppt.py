"""Presentations of PowerPoint 97 record by record, as [MS-PPT] lays them out: one master, slides with a title, and what a test puts in."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from msoffcrypto.method.rc4_cryptoapi import DocumentRC4CryptoAPI

from tests.build.cfb import compound

CANARY = "CANARY-71E4"
SUMMARY = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
USER = bytes.fromhex("05d5cdd59c2e1b10939708002b2cf9ae")
PLAIN, LOCKED = 0xE391C05F, 0xF3D1C4DF


def record(kind: int, data: bytes = b"", version: int = 0, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(data)) + data


def box(kind: int, *inside: bytes, instance: int = 0) -> bytes:
    return record(kind, b"".join(inside), 15, instance)


def string(text: str, instance: int = 0) -> bytes:
    return record(0x0FBA, text.encode("utf-16-le"), 0, instance)


def words(text: str, *more: bytes, kind: int = 1) -> bytes:
    """ClientTextbox."""
    return box(0xF00D, record(0x0F9F, struct.pack("<I", kind)), record(0x0FA0, text.encode("utf-16-le")), *more)


def style(length: int, paragraph: bytes = bytes(4), character: bytes = bytes(4)) -> bytes:
    """StyleTextPropAtom of one run each."""
    return record(0x0FA1, struct.pack("<IH", length + 1, 0) + paragraph + struct.pack("<I", length + 1) + character)


def options(*properties: tuple[int, int | bytes], kind: int = 0xF00B) -> bytes:
    table = b"".join(struct.pack("<HI", number | 0x8000 * isinstance(value, bytes), len(value) if isinstance(value, bytes) else value) for number, value in properties)
    return record(kind, table + b"".join(value for _, value in properties if isinstance(value, bytes)), 3, len(properties))


def shape(*inside: bytes, number: int = 1026, kind: int = 202, flags: int = 0x0A00, properties: tuple[tuple[int, int | bytes], ...] = ((0x180, 0),)) -> bytes:
    head = (record(0xF00A, struct.pack("<II", number, flags), 2, kind), options(*properties))
    return box(0xF004, *head, record(0xF010, struct.pack("<4h", 300, 300, 4000, 2000)), *inside)


def data(*inside: bytes) -> bytes:
    """ClientData."""
    return box(0xF011, *inside)


def drawing(*shapes: bytes, number: int = 1) -> bytes:
    group = box(0xF004, record(0xF009, bytes(16), 1), record(0xF00A, struct.pack("<II", 1024 * number, 5), 2))
    inside = box(0xF003, group, *shapes)
    return box(0x040C, box(0xF002, record(0xF008, struct.pack("<II", len(shapes) + 1, 1024 * number + 99), 0, number), inside))


def tag(name: str, blob: bytes) -> bytes:
    return box(0x1388, box(0x138A, string(name), record(0x138B, blob)))


def colours(instance: int = 1) -> bytes:
    return record(0x07F0, bytes.fromhex("ffffff0000000000808080000000000000cc99003333cc00ccccff00b2b2b200"), 0, instance)


def slide(*inside: bytes, shapes: tuple[bytes, ...] | None = None, title: str = "題名") -> bytes:
    head = record(0x03EF, struct.pack("<i8BIIHH", 0, *bytes(8), 0x80000000, 0, 7, 0), 2)
    shapes = (shape(words(title)),) if shapes is None else shapes
    return box(0x03EE, head, drawing(*shapes, number=2), colours(), *inside)


def master() -> bytes:
    level = struct.pack("<I", 0) + struct.pack("<IH", 0x20000, 44)
    head = record(0x03EF, struct.pack("<i8BIIHH", 1, 1, 2, *bytes(6), 0, 0, 0, 0), 2)
    return box(0x03F8, head, colours(6), record(0x0FA3, struct.pack("<H", 1) + level, 0, 1), drawing(), colours(), string("設計", 2))


def notes(*inside: bytes, slide_id: int = 256) -> bytes:
    return box(0x03F0, record(0x03F1, struct.pack("<IHH", slide_id, 7, 0), 1), drawing(*inside, number=3), colours())


def sound(link: int = 0, action: int = 3, jump: int = 1, kind: int = 0, *, noise: int = 0, verb: int = 0) -> bytes:
    """InteractiveInfoAtom: despite its name most of them are silent."""
    return record(0x0FF3, struct.pack("<IIBBBBBxxx", noise, link, action, verb, jump, 0, kind))


def click(atom: bytes, *inside: bytes) -> bytes:
    return box(0x0FF2, atom, *inside)


def link(number: int, target: str = "", place: str = "", friendly: str = "名前") -> bytes:
    strings = [string(friendly)] + ([string(target, 1)] if target else []) + ([string(place, 3)] if place else [])
    return box(0x0FD7, record(0x0FD3, struct.pack("<I", number)), *strings)


def objects(*inside: bytes) -> bytes:
    return box(0x0409, record(0x040A, struct.pack("<I", 99)), *inside)


def embedded(number: int, part: int) -> bytes:
    """ExOleEmbedContainer: its object lies in a part."""
    atom = struct.pack("<IIIIII", 1, 0, number, 2, part, 0)
    return box(0x0FCC, record(0x0FCD, bytes(8)), record(0x0FC3, atom, 1), string(f"Package {CANARY}", 1))


def storage(content: bytes) -> bytes:
    """ExOleObjStg, compressed."""
    return record(0x1011, struct.pack("<I", len(content)) + zlib.compress(content), 0, 1)


def font(name: str = "Arial", slack: str = "") -> bytes:
    face = (name + "\0" + slack).encode("utf-16-le")[:64].ljust(64, b"\0")
    return record(0x0FB7, face + bytes((0, 0, 4, 0x22)))


def environment(*inside: bytes) -> bytes:
    return box(0x03F2, box(0x07D5, font()), *inside)


def store(*blips: bytes) -> tuple[bytes, bytes]:
    """The table of pictures, and the stream `Pictures`."""
    at = 0
    entries: list[bytes] = []
    for one in blips:
        entries.append(record(0xF007, struct.pack("<BB16sHIIIBBBB", 6, 6, bytes(16), 0xFF, len(one), 1, at, 0, 0, 0, 0), 2, 6))
        at += len(one)
    return box(0xF001, *entries, instance=len(entries)), b"".join(blips)


def blip(content: bytes, kind: int = 0xF01E, instance: int = 0x6E0, said: bytes = b"\xff") -> bytes:
    return record(kind, bytes(16) + said + content, 0, instance)


def document(slides: int, *more: bytes, notes_at: int = 0, handout_at: int = 0, pictures: bytes = b"", texts: tuple[bytes, ...] = (), first: bytes = b"") -> bytes:
    """Part 1; the master is part 2, the slides follow."""
    head = record(0x03E9, struct.pack("<8iHH4B", 5760, 4320, 4320, 5760, 1, 2, notes_at, handout_at, 1, 0, 0, 0, 0, 1), 1)
    groups = box(0x040B, box(0xF000, record(0xF006, struct.pack("<6I", 4096, 2, 4, 2, 1, 9)), pictures))
    masters = box(0x0FF0, record(0x03F3, struct.pack("<IIiII", 2, 0, 0, 0x80000000, 0)), instance=1)
    entries = [record(0x03F3, struct.pack("<IIiII", 3 + index, 4, 0, 256 + index, 0)) for index in range(slides)]
    shown = box(0x0FF0, *entries, *texts)
    return box(0x03E8, head, first, environment(), groups, masters, *more, shown, record(0x03EA))


def stream(*parts: bytes, before: bytes = b"", lock: int = 0, revisions: int = 1, offset: int = 0) -> tuple[bytes, bytes]:
    """The streams `PowerPoint Document` and `Current User` of parts 1 to n; `before` lies in front of them and belongs to nobody."""
    offsets = []
    at = len(before) + offset
    for one in parts:
        offsets.append(at)
        at += len(one)
    made, last = before + b"".join(parts), 0
    for _ in range(revisions):
        listed = record(0x1772, struct.pack(f"<I{len(parts)}I", len(parts) << 20 | 1, *offsets))
        directory = len(made)
        made += listed
        edit = struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, last, directory, 1, len(parts), 1, 0) + (struct.pack("<I", lock) if lock else b"")
        last = len(made)
        made += record(0x0FF5, edit)
    return made, current_user(last, LOCKED if lock else PLAIN)


def current_user(at: int, token: int = PLAIN, name: str = "", version: int = 0x03F4) -> bytes:
    head = struct.pack("<IIIHHBBxx", 20, token, at, len(name), version, 3, 0)
    return record(0x0FF6, head + name.encode() + struct.pack("<I", 8) + name.encode("utf-16-le"))


def presentation(
    *slides: bytes,
    more: tuple[bytes, ...] = (),
    first: bytes = b"",
    pictures: tuple[bytes, bytes] = (b"", b""),
    parts: tuple[bytes, ...] = (),
    before: bytes = b"",
    user: str = "",
    streams: dict[str, bytes] | None = None,
    texts: tuple[bytes, ...] = (),
    **layout: Any,
) -> bytes:
    """`more`, `first`: records of the document; `parts`: behind the slides, numbered on; `streams`: beside; `layout`: of the compound file."""
    slides = slides or (slide(),)
    whole = document(len(slides), *more, first=first, pictures=pictures[0], texts=texts)
    made, current = stream(whole, master(), *slides, *parts, before=before)
    if user:
        current = current_user(struct.unpack_from("<I", current, 16)[0], name=user)
    all_streams = {"PowerPoint Document": made, "Current User": current, **({"Pictures": pictures[1]} if pictures[1] else {}), **(streams or {})}
    return compound(all_streams, **layout)


def locked(password: str, *slides: bytes, pictures: tuple[bytes, bytes] = (b"", b"")) -> bytes:
    """Under RC4 of the CryptoAPI, every part with a key of its own."""
    salt, verifier = bytes(range(16)), bytes(range(16, 32))
    key = _cipher(password, salt, 0)
    both = key(verifier + hashlib.sha1(verifier, usedforsecurity=False).digest())
    provider = "Microsoft Enhanced Cryptographic Provider v1.0\0".encode("utf-16-le")
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + provider
    said = struct.pack("<HHII", 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + salt + both[:16] + struct.pack("<I", 20) + both[16:]
    slides = slides or (slide(),)
    plain = (document(len(slides), pictures=pictures[0]), master(), *slides)
    parts = [_cipher(password, salt, number)(one) for number, one in enumerate(plain, 1)]
    made, user = stream(*parts, box(0x2F14, said), lock=len(parts) + 1)
    return compound({"PowerPoint Document": made, "Current User": user, **({"Pictures": _locked_pictures(pictures[1], password, salt)} if pictures[1] else {})})


def _locked_pictures(given: bytes, password: str, salt: bytes) -> bytes:
    """One picture with one id: each field by itself."""
    made, at = b"", 0
    for size in (2, 2, 4, 16, 1, len(given)):
        made += _cipher(password, salt, 0)(given[at : at + size])
        at += size
    return made


def _cipher(password: str, salt: bytes, block: int) -> Callable[[bytes], bytes]:
    def run(content: bytes) -> bytes:
        made: bytes = DocumentRC4CryptoAPI.decrypt(password, salt, 128, io.BytesIO(content), blocksize=len(content) + 1, block=block).read()
        return made

    return run
