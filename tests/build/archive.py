"""Archives other than zip, Japanese names, and an engine that knows a few fake kinds, to test archives by themselves."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import zlib

import libarchive
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers.budget import Budget
from sanitizers.context import Context, Outcome
from sanitizers.formats.archive import SANITIZERS
from sanitizers.model import (
    Action,
    Job,
    Kind,
    LimitExceeded,
    Limits,
    PartInfo,
    Reason,
    Refused,
    Report,
    Treatment,
    Verdict,
)
from sanitizers.source import Source

JAPANESE_NAMES = (
    "①②③.txt", "㈱田中商店.docx", "髙橋.pdf", "山﨑.xlsx", "～から～まで.txt", "－１０％.txt", "〜波〜.txt",
    "ﾊﾝｶｸｶﾅ.csv", "ﾃﾞｰﾀ一覧.csv", "ソース.txt", "表.xlsx", "能登.txt", "ソ表能.txt", "予定表.doc", "暴力団排除.txt",
    "貼付.jpg", "欺.txt", "構成図.png", "申請書.docx", "圭.txt", "令和６年度　予算書.xlsx", "R6.4.1_通知.pdf",
    "（別紙１）様式.docx", "【重要】お知らせ.txt", "「案」.txt", "№１.txt", "㍻31年.txt", "㌔㍍.txt", "Ⅰ・Ⅱ・Ⅲ.txt",
    "ⅰⅱ.txt", "∑∫√.txt", "≒≡∪∩.txt", "㊤㊥㊦.txt", "纊褜鍈.txt", "神社.txt", "朗報.txt", "館内図.pdf",
    "鶴見.txt", "隆.txt", "福祉.txt", "羽田.txt", "都市計画.dwg", "飯田.txt", "ヴァイオリン.txt", "がぎぐげご.txt",
    "パピプペポ.txt", "はばぱ.txt", "ゞヾ々〆.txt", "𠮷野家.txt", "葛\U000e0100飾.txt", "外字\ue000\ue757.txt",
    "ＡＢＣ.txt", "ｘｙｚ.txt", "あ い.txt", "あ　い.txt", "a'b(c)[d]{e}.txt", "～$文書.docx", "水道課・下水道課.txt",
    "ファイル名が長い場合の確認のための資料（第１版・最終・修正済み）.pptx", "\u212b.txt", "ｱｲｳｴｵ･ｶ.txt",
    "ー長音ー.txt", "々.txt", "😀.txt",
)  # fmt: skip

BAD = b"MZ"  # blocked
BROKEN = b"BROKEN"  # held, malformed
UNKNOWN = b"\x00\x01"  # held, unsupported
MACRO = b"DOCM"  # becomes docx with another content

_BY_KIND = {kind: sanitizer for sanitizer in SANITIZERS for kind in sanitizer.kinds}
_MAGIC = (
    (b"PK\3\4", Kind.ZIP), (b"PK\5\6", Kind.ZIP), (b"\x1f\x8b", Kind.GZ), (b"BZh", Kind.BZ2), (b"\xfd7zXZ", Kind.XZ),
    (b"7z\xbc\xaf", Kind.SEVENZIP), (b"Rar!", Kind.RAR), (b"MSCF", Kind.CAB), (b"!<arch>", Kind.AR), (b"0707", Kind.CPIO),
    (b"\x28\xb5\x2f\xfd", Kind.ZST), (b"\x04\x22\x4d\x18", Kind.LZ4), (b"\x1f\x9d", Kind.COMPRESS),
)  # fmt: skip


def kind_of(data: bytes) -> Kind:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[257:262] == b"ustar":
        return Kind.TAR
    if data[2:5] == b"-lh":
        return Kind.LZH
    return Kind.ISO if data[0x8001:0x8006] == b"CD001" else Kind.TEXT


def context(
    name: str = "x.zip",
    kind: Kind = Kind.ZIP,
    *,
    limits: Limits | None = None,
    passwords: tuple[str, ...] = (),
    size: int = 1 << 20,
    **treatment: object,
) -> Context:
    """A Context whose embed() runs real archive sanitizers inside and judges everything else by its first bytes."""
    job = Job(name=name, limits=limits or Limits(), passwords=passwords, treatment=Treatment(**treatment))  # type: ignore[arg-type]
    budget = Budget(job.limits, size)

    def examine(part: str, source: Source, where: str, depth: int) -> Outcome:
        budget.check_depth(depth)
        budget.spend_part()
        data = source.bytes()
        inner = Context(name=part, kind=kind_of(data), job=job, budget=budget, depth=depth, examine=examine, scan=lambda *_: [])
        told = PartInfo(name=part, size=len(data), sha256=source.sha256, kind=inner.kind)
        try:
            output, made = _judge(source, data, inner)
        except LimitExceeded:
            raise
        except Refused as refusal:
            verdict = Verdict.BLOCKED if refusal.reason in (Reason.MALWARE, Reason.FORBIDDEN_KIND) else Verdict.HELD
            report = Report(path=part, verdict=verdict, reason=refusal.reason, input=told, output=None, parts=tuple(inner.parts))
            return Outcome(report, None)
        info = PartInfo(name=part, size=len(output), sha256=output.sha256, kind=made)
        changed = any(finding.action in (Action.REMOVED, Action.REWRITTEN) for finding in inner.findings)
        report = Report(
            path=part, verdict=Verdict.SANITIZED if changed else Verdict.CLEAN, reason=None, input=told, output=info,
            findings=tuple(inner.findings), parts=tuple(inner.parts),
        )  # fmt: skip
        return Outcome(report, output)

    return Context(name=name, kind=kind, job=job, budget=budget, depth=0, examine=examine, scan=lambda *_: [])


def _judge(source: Source, data: bytes, inner: Context) -> tuple[Source, Kind]:
    for start, reason in ((BAD, Reason.FORBIDDEN_KIND), (BROKEN, Reason.MALFORMED), (UNKNOWN, Reason.UNSUPPORTED_KIND)):
        if data.startswith(start):
            refusal = Refused("as the test wants it")
            refusal.reason = reason
            raise refusal
    if data.startswith(MACRO):
        return Source(b"DOCX" + data[4:]), Kind.DOCX
    if inner.kind in _BY_KIND:
        return _BY_KIND[inner.kind].sanitize(source, inner)
    return source, {"docx": Kind.DOCX, "pdf": Kind.PDF, "csv": Kind.CSV}.get(inner.name.rpartition(".")[2], Kind.TEXT)


def sanitize(data: bytes, given: Context) -> bytes:
    return _BY_KIND[given.kind].sanitize(Source(data), given).content.bytes()


def tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT, encoding: str = "utf-8") -> bytes:
    """An ordinary tar as Python writes it; a name that ends with "/" is a folder."""
    file = io.BytesIO()
    with tarfile.open(mode="w", fileobj=file, format=form, encoding=encoding) as writer:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            writer.addfile(info, io.BytesIO(data))
    return file.getvalue()


def tar_member(name: str, flag: bytes = b"0", data: bytes = b"", *, size: int | None = None, link: str = "") -> bytes:
    """One header with its data, field by field."""
    block = bytearray(512)
    block[: len(name.encode())] = name.encode()
    block[100:124] = b"0004755\0" + b"0001750\0" * 2
    block[124:136] = b"%011o\0" % (len(data) if size is None else size)
    block[136:148] = b"%011o\0" % 1_700_000_000
    block[148:156] = b" " * 8
    block[156:157] = flag
    block[157 : 157 + len(link)] = link.encode()
    block[257:265] = b"ustar\x0000"
    block[265:270] = b"owner"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data + bytes(-len(data) % 512)


def pax(**records: str) -> bytes:
    """A pax header for the member that follows."""
    body = b""
    for key, value in records.items():
        tail = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(tail) + len(str(len(tail)))
        length = len(tail) + len(str(length))
        body += str(length).encode() + tail
    return tar_member("pax", b"x", body)


TAR_END = bytes(1024)


def gz(data: bytes, name: str = "") -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=file, mtime=0) as writer:
        writer.write(data)
    return file.getvalue()


def ar(members: dict[str, bytes]) -> bytes:
    """ar(5) with short names."""
    out = b"!<arch>\n"
    for name, data in members.items():
        out += b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name.encode() + b"/", 0, 0, 0, 0o100644, len(data)) + data + b"\n" * (len(data) % 2)
    return out


def lzh(members: dict[str, bytes], encoding: str = "cp932") -> bytes:
    """LHa level 0, stored (-lh0-)."""
    out = b""
    for name, data in members.items():
        raw = name.encode(encoding)
        body = b"-lh0-" + struct.pack("<IIIBBB", len(data), len(data), 0, 0x20, 0, len(raw)) + raw + struct.pack("<H", crc16(data))
        out += bytes([len(body), sum(body) & 0xFF]) + body + data
    return out + b"\0"


def written(form: str, members: dict[str, bytes]) -> bytes:
    """Whatever libarchive can write: 7zip, iso9660."""
    pieces: list[bytes] = []

    def take(data: bytes) -> int:
        pieces.append(bytes(data))
        return len(data)

    with libarchive.custom_writer(take, form) as writer:
        for name, data in members.items():
            writer.add_file_from_memory(name, len(data), data)
    return b"".join(pieces)


def sevenzip(members: dict[str, bytes]) -> bytes:
    return written("7zip", members)


def locked_sevenzip(
    members: dict[str, bytes], password: str, *, names_too: bool = False, rounds: int = 6, window: int = 8, crc_off: int = 0
) -> bytes:
    """7z with one solid folder of LZMA2 and AES-256; with `names_too` its header is packed the same way."""
    body = b"".join(members.values())
    secret, streams = _locked_stream(body, password, rounds, 0, window)
    crcs = b"".join(struct.pack("<I", zlib.crc32(data)) for data in members.values())
    crcs = crcs[:-1] + bytes([crcs[-1] ^ crc_off])
    sizes = b"".join(_number(len(data)) for data in list(members.values())[:-1])
    substreams = b"\x08\x0d" + _number(len(members)) + b"\x09" + sizes + b"\x0a\x01" + crcs + b"\0"
    if len(members) == 1:
        substreams = b"\x08\x0a\x01" + crcs + b"\0"
    names = b"\0" + b"".join(name.encode("utf-16-le") + b"\0\0" for name in members)
    files = b"\x05" + _number(len(members)) + b"\x11" + _number(len(names)) + names + b"\0"
    header = b"\x01\x04" + streams + substreams + b"\0" + files + b"\0"
    if names_too:
        more, streams = _locked_stream(header, password, rounds, len(secret))
        secret += more
        header = b"\x17" + streams + b"\0"
    start = struct.pack("<QQI", len(secret), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + secret + header


def _locked_stream(body: bytes, password: str, rounds: int, at: int, window: int = 8) -> tuple[bytes, bytes]:
    """The encrypted stream and its PackInfo and UnpackInfo."""
    packed = lzma.compress(body, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}])
    salt, vector = b"salt", bytes(range(16))
    key = hashlib.sha256(b"".join(salt + password.encode("utf-16-le") + n.to_bytes(8, "little") for n in range(1 << rounds))).digest()
    coder = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    secret = coder.update(packed + bytes(-len(packed) % 16))
    aes = bytes([rounds | 0xC0, 0x3F]) + salt + vector
    coders = b"\x02\x21\x21\x01" + bytes([window]) + b"\x24\x06\xf1\x07\x01" + _number(len(aes)) + aes + b"\x00\x01"
    sizes = _number(len(body)) + _number(len(packed))
    crc = b"\x0a\x01" + struct.pack("<I", zlib.crc32(body)) if at else b""
    pack = b"\x06" + _number(at) + b"\x01\x09" + _number(len(secret)) + b"\0"
    return secret, pack + b"\x07\x0b\x01\x00" + coders + b"\x0c" + sizes + crc + b"\0"


def _number(value: int) -> bytes:
    """7-Zip's variable-length number."""
    for extra in range(8):
        if value < 1 << (7 * (extra + 1)):
            low = value.to_bytes(8, "little")[:extra]
            return bytes([(0xFF00 >> extra) & 0xFF | value >> (8 * extra)]) + low
    raise ValueError(value)


def iso(members: dict[str, bytes]) -> bytes:
    return written("iso9660", members)


def crc16(data: bytes) -> int:
    """CRC-16/ARC as LHa uses it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def cab(members: dict[str, bytes], flags: int = 0) -> bytes:
    """A cabinet with one folder, stored. [MS-CAB]"""
    body = b"".join(members.values())
    files, at = b"", 0
    for name, data in members.items():
        files += struct.pack("<IIHHHH", len(data), at, 0, 0x21, 0, 0x20 | 0x80) + name.encode() + b"\0"
        at += len(data)
    first = 36 + 8 + len(files)
    block = struct.pack("<IHH", 0, len(body), len(body)) + body
    folder = struct.pack("<IHH", first, 1, 0)
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, first + len(block), 0, 44, 0, 3, 1, 1, len(members), flags, 0, 0)
    return header + folder + files + block


def cpio(members: dict[str, bytes], *, linked: bool = False) -> bytes:
    """cpio newc; `linked`: all members are one file of several names."""
    out = b""
    for number, (name, data) in enumerate([*members.items(), ("TRAILER!!!", b"")]):
        raw = name.encode() + b"\0"
        fields = (7 if linked else number, 0o100644, 0, 0, 2 if linked else 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return out


def attachecase(members: dict[str, bytes], password: str, *, version: int = 140, program: bytes = b"", wrong: int = 0) -> bytes:
    """AttachéCase 4: plain header, list of files and deflated contents under AES-256-CBC. `wrong`: is added to each MD5's first byte."""
    salt = b"saltsalt"
    made = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, 1000, 48)
    listed = b"atc4"
    for name, data in members.items():
        raw = name.replace("/", "\\").encode()
        listed += struct.pack("<H", len(raw)) + raw + struct.pack("<q5i", len(data), 16 if name.endswith("/") else 32, *(20261120, 90000) * 2)
        digest = bytearray(hashlib.md5(data).digest())
        digest[0] = (digest[0] + wrong) & 0xFF
        listed += bytes(digest) if data else b""
    head = struct.pack("<HBB16sII16s8s", 4100, 3, 0, b"_AttacheCaseData", version, len(listed), bytes(16), salt)
    body = zlib.compress(b"".join(members.values()), wbits=-15)
    return program + head + _cbc(made, listed) + _cbc(made, body)


def _cbc(made: bytes, data: bytes) -> bytes:
    short = 16 - len(data) % 16
    coder = Cipher(algorithms.AES(made[:32]), modes.CBC(made[32:])).encryptor()
    return coder.update(data + bytes([short]) * short) + coder.finalize()


def lzh3(name: str, data: bytes, mode: int | None = None) -> bytes:
    """LHa level 3, stored, with the name in an extended header of four-byte sizes; `mode`: of Unix, in another one."""
    raw = name.encode("cp932")
    more = b"" if mode is None else struct.pack("<IBH", 7, 0x50, mode)
    extended = struct.pack("<B", 1) + raw + more + struct.pack("<I", 0)
    total = 32 + len(extended)
    head = b"\x04\x00-lh0-" + struct.pack("<IIIBBHB", len(data), len(data), 0, 0x20, 3, crc16(data), 0x77)
    return head + struct.pack("<II", total, 1 + len(raw) + 4) + extended + data + b"\0"
