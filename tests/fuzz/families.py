"""What is fuzzed: for each family how a file becomes an input, and an input a file again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.cfb import Compound
from sanitizers.engine import Engine
from sanitizers.formats.message import outlook, tnef
from sanitizers.identify import identify
from sanitizers.model import Job, Kind, LimitExceeded, Limits, Refused
from sanitizers.scan import NO_RULES
from sanitizers.source import Source
from tests.build import cfb, corpus
from tests.build import doc as build_doc
from tests.build import docuworks as build_docuworks
from tests.build import jtd as build_jtd
from tests.build import metafile as build_metafile
from tests.build import outlook as build_outlook
from tests.build import ppt as build_ppt
from tests.build import rtf as build_rtf
from tests.build import xls as build_xls

LARGEST: Final = 120_000       # bytes of a seed: what is larger teaches little and takes long
_MARK: Final = b"\xf5\xf5stream\xf5\xf5"
_LIMITS: Final = Limits(expanded_bytes=64 << 20, expansion_floor=32 << 20, pages=2000, cells=200_000, parts=200)


class Family(NamedTuple):
    """`folders` of the corpus; with `lay` inputs are the streams of a compound file, which is laid out well around them."""

    name: str
    folders: tuple[str, ...]
    built: Callable[[], bytes]
    lay: Callable[[dict[str, bytes]], bytes] | None
    read: Callable[[bytes], str]


def _engine(name: str) -> Callable[[bytes], str]:
    """The whole engine: what it ends in."""

    def read(data: bytes) -> str:
        try:
            report = Engine(Job(name=name, limits=_LIMITS, passwords=("password",)), NO_RULES, len(data)).run(Source(data)).report
        except LimitExceeded:
            return "limit"
        return "delivered" if report.reason is None else f"{report.reason}: {report.findings[-1].detail}"

    return read


def _only(kind: Kind, name: str) -> Callable[[bytes], str]:
    """The whole engine, for what is still of that kind: inputs that lost their mark would teach how plain text is read."""
    read = _engine(name)
    return lambda data: read(data) if identify(Source(data), name) is kind else "another kind"


def _reader(call: Callable[[bytes, Budget], object]) -> Callable[[bytes], str]:
    """One reader alone."""

    def read(data: bytes) -> str:
        try:
            call(data, Budget(_LIMITS, len(data)))
        except Refused as refusal:
            return refusal.code
        return "read"

    return read


def _docuworks(data: bytes) -> str:
    """A list of objects, packed well."""
    return _engine("x.xdw")(build_docuworks.document(data or b"\0"))


def _compound(data: bytes, budget: Budget) -> None:
    found = Compound(Source(data), budget)
    for path in found.streams:
        found.read(path)


def _msg() -> bytes:
    inner = build_outlook.msg_tree({0x37: "中", 0x1000: "中の本文"}, start=24)
    files = ({0x3707: "a.txt", 0x3701: bytearray(b"text")}, ({0x3001: "内"}, inner))
    return build_outlook.msg({0x37: "件名", 0x1000: "本文", 0x1009: build_outlook.compressed(build_rtf.clean())}, recipients=({0x3003: "a@b.jp"},), files=files)


def _jtd(streams: dict[str, bytes]) -> bytes:
    """Its table of streams says the truth."""
    return build_jtd.document({name: data for name, data in streams.items() if name != build_jtd.TABLE})


def _tnef() -> bytes:
    return build_outlook.tnef({0x37: "件名".encode("cp932"), 0x1000: "本文".encode("cp932")}, ("a.txt", b"text"))


FAMILIES: Final = {
    family.name: family
    for family in (
        Family("cfb", ("ole2", "msg", "jp-formats"), build_xls.workbook, None, _reader(_compound)),
        Family("xls", ("ole2",), build_xls.workbook, cfb.compound, _engine("x.xls")),
        Family("doc", ("ole2",), lambda: build_doc.document(build_doc.para("本文", *build_doc.field(" PAGE ", "1"))), cfb.compound, _engine("x.doc")),
        Family("ppt", ("ole2",), build_ppt.presentation, cfb.compound, _engine("x.ppt")),
        Family("rtf", ("rtf",), build_rtf.clean, None, _only(Kind.RTF, "x.rtf")),
        Family("emf", (), lambda: build_metafile.emf(build_metafile.rectangle(10, 10, 60, 60)), None, _only(Kind.EMF, "x.emf")),
        Family("wmf", (), build_metafile.wmf, None, _only(Kind.WMF, "x.wmf")),
        Family("msg", ("msg",), _msg, cfb.compound, _engine("x.msg")),
        Family("msg-container", ("msg",), _msg, None, _reader(lambda data, budget: outlook.read(Source(data), budget))),
        Family("tnef", ("tnef",), _tnef, None, _only(Kind.TNEF, "winmail.dat")),
        Family("tnef-reader", ("tnef",), _tnef, None, _reader(lambda data, _: tnef.read(data))),
        Family("jtd", ("jp-formats",), build_jtd.document, _jtd, _engine("x.jtd")),
        Family("xdw", (), build_docuworks.objects, None, _docuworks),
        Family("xdw-whole", ("jp-formats",), build_docuworks.document, None, _engine("x.xdw")),
        Family("jtdc", ("jp-formats",), lambda: build_jtd.packed(build_jtd.document()), None, _engine("x.jtdc")),
    )
}  # fmt: skip


def seeds(family: Family, more: Path | None) -> Iterator[bytes]:
    """The built file, those of the corpus and of a folder of the caller's, as inputs."""
    yield _input(family, family.built())
    folders = [corpus.CORPUS / folder for folder in family.folders] + ([more] if more else [])
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if path.stat().st_size <= LARGEST and (made := _input(family, path.read_bytes())):
            yield made


def _input(family: Family, data: bytes) -> bytes:
    """Empty where the streams cannot be read."""
    if family.lay is None:
        return data
    try:
        found = Compound(Source(data), Budget(Limits(), len(data)))
        streams = ["/".join(path).encode() + b"\0" + found.read(path) for path in found.streams]
    except (Refused, IndexError):
        return b""
    return _MARK.join(streams)


def file(family: Family, given: bytes) -> bytes:
    """The file of an input."""
    if family.lay is None:
        return given
    parts = (one.partition(b"\0") for one in given.split(_MARK))
    return family.lay({_path(name): data for name, _, data in parts if name})


def _path(name: bytes) -> str:
    said = "".join(chr(ord(sign) or 1) for sign in name.decode("utf-8", "ignore"))
    return "/".join(step[:31] or "x" for step in said.split("/")[:5]) or "x"
