"""AttachéCase files (.atc), also appended to their self-extracting program: opened with the password, packed anew as zip.

Removes: the encryption; bad members, paths that climb; a self-extracting program around it, of which nothing is taken
Keeps: folders, order and Japanese names of the members; each member as its own sanitizer makes it
Refuses: versions 2 and 3 (Rijndael with blocks of 256 bits, which is no AES) and the public-key kind, with words for the sender
Spec: AttachéCase 4 data structure, file version 140: AES-256-CBC, PBKDF2-SHA1 of 1,000 rounds, deflate, MD5 of each file
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive.pack import Entry, Pack, What
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.inflating import Inflating
from sanitizers.model import Encrypted, Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import BLOCK, Folding, Source

_TOKEN: Final = b"_AttacheCaseData"
_PUBLIC_KEY: Final = b"_AttacheCase_Rsa"
_DESTROYED: Final = b"_Atc_Broken_Data"
_BEFORE_TOKEN: Final = 4           # version of the program, tries allowed, destroyed or not
_HEADER: Final = struct.Struct("<4x16sII16s8s")     # token, file version, size of the list, GUID, salt
_VERSION_4: Final = range(140, 150)
_INSIDE: Final = b"atc4"
_ENTRY: Final = struct.Struct("<q5i")               # size, attributes, two dates and two times
_FOLDER: Final = 0x10
_LONGEST_LIST: Final = 16 << 20
_ROUNDS: Final = 1000
_RESEND: Final = "ask the sender for a ZIP with a password, or a file of AttachéCase 4"


class _Member(NamedTuple):
    name: str
    size: int
    folder: bool
    md5: bytes


class _Opened(NamedTuple):
    members: list[_Member]
    key: bytes
    vector: bytes
    body: memoryview


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded, and what `Pack.finish` raises."""
    opened = _opened(source.view, context)
    pack = Pack(context, archive.Writer(), "archive")
    contents = _contents(opened, context)
    for member in opened.members:
        what = What.FOLDER if member.folder else What.FILE
        # The files lie behind one another in one stream: each is read here, in order, whatever becomes of it.
        content = Source(b"") if member.folder else next(contents)
        pack.take(Entry(member.name, what, partial(_given, content)))
    next(contents, None)      # past the last file: what lies behind it is refused
    pack.rewritten("file.decrypted")
    pack.rewritten("archive.container_converted", "", f"{context.kind} to zip")
    return Rebuilt(pack.finish(), Kind.ZIP)


def _given(content: Source) -> Source:
    return content


def _opened(data: memoryview, context: Context) -> _Opened:
    start = place(data)
    if start < 0 or start + _HEADER.size > len(data):
        raise Malformed("no AttachéCase header", code="archive.malformed")
    token, version, size, _, salt = _HEADER.unpack_from(data, start)
    if token == _DESTROYED:
        raise Malformed("destroyed by AttachéCase after wrong passwords", code="archive.malformed")
    if token == _PUBLIC_KEY:
        raise Unsupported(f"AttachéCase with a public key: {_RESEND}", code="archive.attachecase")
    if version not in _VERSION_4:
        raise Unsupported(f"AttachéCase, file version {version}: {_RESEND}", code="archive.attachecase")
    begin = start + _HEADER.size
    end = begin + (size // 16 + 1) * 16
    if size > _LONGEST_LIST or end > len(data) or (len(data) - end) % 16:
        raise Malformed("AttachéCase file is cut short", code="archive.malformed")
    for password in context.passwords:
        made = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, _ROUNDS, 48)
        listed = _deciphered(made[:32], made[32:], data[begin:end])
        if listed is not None and len(listed) == size and listed.startswith(_INSIDE):
            return _Opened(_members(listed, context.limits.parts), made[:32], made[32:], data[end:])
    raise Encrypted("no password opens it" if context.passwords else "needs a password")


def place(data: memoryview) -> int:
    """Where the AttachéCase data begins: at 0, or behind a self-extracting program; -1 if nowhere."""
    if bytes(data[_BEFORE_TOKEN : _BEFORE_TOKEN + 16]) in (_TOKEN, _PUBLIC_KEY, _DESTROYED):
        return 0
    carry = b""
    for at in range(0, len(data), BLOCK):
        block = carry + bytes(data[at : at + BLOCK])
        for token in (_TOKEN, _PUBLIC_KEY):
            if (found := block.find(token)) >= 0:
                return max(-1, at - len(carry) + found - _BEFORE_TOKEN)
        carry = block[-15:]
    return -1


def _deciphered(key: bytes, vector: bytes, secret: memoryview) -> bytes | None:
    coder = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    try:
        return unpadder.update(coder.update(secret) + coder.finalize()) + unpadder.finalize()
    except ValueError:
        return None


def _members(listed: bytes, most: int) -> list[_Member]:
    found: list[_Member] = []
    at = len(_INSIDE)
    while at < len(listed):
        if len(found) >= most:
            raise LimitExceeded(f"more than {most} members")
        length = int.from_bytes(listed[at : at + 2], "little")
        end = at + 2 + length
        if end + _ENTRY.size > len(listed):
            raise Malformed("AttachéCase list of files", code="archive.malformed")
        size, attributes, *_ = _ENTRY.unpack_from(listed, end)
        name = _name(listed[at + 2 : end])
        folder = bool(attributes & _FOLDER) or name.endswith("/")
        at = end + _ENTRY.size
        md5 = b"" if folder or not size else listed[at : at + 16]
        at += len(md5)
        if size < 0 or (folder and size):
            raise Malformed("AttachéCase list of files", where=name, code="archive.malformed")
        found.append(_Member(name, size, folder, md5))
    return found


def _name(raw: bytes) -> str:
    try:
        return raw.decode().replace("\\", "/")
    except UnicodeDecodeError:
        raise Malformed("AttachéCase file name", code="archive.malformed") from None


def _contents(opened: _Opened, context: Context) -> Iterator[Source]:
    """The files, one after the other, each with its size and MD5 checked; then nothing may be left."""
    body = _deciphered(opened.key, opened.vector, opened.body)
    if body is None:
        raise Malformed("AttachéCase body", code="archive.malformed")
    cap = min(context.budget.expanded_left, context.limits.memory_bytes // 4)
    if (wanted := sum(member.size for member in opened.members)) > cap:
        raise LimitExceeded(f"{wanted} bytes of files")
    blocks = Inflating(body).blocks("", "archive.malformed", "archive.malformed")
    waiting = b""
    for member in opened.members:
        if member.folder:
            continue
        folding, digest = Folding(), hashlib.md5(usedforsecurity=False)
        while folding.size < member.size:
            if not waiting and not (waiting := next(blocks, b"")):
                raise Malformed("AttachéCase file is shorter than listed", where=member.name, code="archive.malformed")
            taken = waiting[: member.size - folding.size]
            waiting = waiting[len(taken) :]
            folding.add(taken)
            digest.update(taken)
        if member.md5 and digest.digest() != member.md5:
            raise Malformed("file fails its checksum", where=member.name, code="archive.malformed")
        context.budget.spend_bytes(folding.size)
        yield folding.source()
    if waiting or (body and any(blocks)):       # a stream of nothing may have no end block either
        raise Malformed("AttachéCase body is longer than listed", code="archive.malformed")


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.ATC}),
    sanitize=sanitize,
    removes="bad members, climbing paths, encryption, a self-extracting program",
    keeps="folders, order, Japanese names, every clean member, in a new zip",
    refuses="files without their password, versions 2 and 3, the public-key kind",
    spec="AttachéCase 4, file version 140",
)
