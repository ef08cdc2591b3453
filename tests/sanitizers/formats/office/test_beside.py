"""What lies beside a document, or packed among its parts, stays behind; the rules have seen it, and the modules of macros are called by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from sanitizers.formats import BY_KIND
from sanitizers.formats.ppt import storages
from sanitizers.formats.ppt.persist import Edit
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed
from sanitizers.source import Source
from tests.build import doc as build_doc
from tests.build import ppt as build_ppt
from tests.build import xls as build_xls
from tests.build.cfb import compound
from tests.build.context import context, run

SOURCE = b'Attribute VB_Name = "Auto"\r\nSub AutoOpen()\r\n'.ljust(4096)
PROJECT = {"VBA/Auto": b"\x01\xff\x3f" + SOURCE, "PROJECT": b"Module=Auto\r\n"}
STORED = compound(PROJECT)
HAS_MACROS = build_ppt.box(0x07D0, build_ppt.box(0x03FF, build_ppt.record(0x0400, struct.pack("<III", 4, 1, 2), 2)))


def _below(name: str) -> dict[str, bytes]:
    return {f"{name}/{path}": data for path, data in PROJECT.items()} | {"Other/Package": b"native"}


def _stored(*parts: bytes) -> bytes:
    return build_ppt.presentation(more=(HAS_MACROS,), parts=parts)


GIVEN: dict[str, tuple[Kind, Callable[[], bytes], str, str]] = {
    "doc": (Kind.DOC, lambda: build_doc.document(build_doc.para("本文"), streams=_below("Macros")), "VBA/Auto", "doc.macro"),
    "xls": (Kind.XLS, lambda: build_xls.workbook(streams=_below("_VBA_PROJECT_CUR")), "VBA/Auto", "xls.macro"),
    "ppt": (Kind.PPT, lambda: build_ppt.presentation(streams=_below("_VBA_PROJECT_CUR")), "VBA/Auto", "ppt.macro"),
    "ppt, packed": (Kind.PPT, lambda: _stored(build_ppt.storage(STORED)), "/Auto", "ppt.macro"),
    "ppt, not packed": (Kind.PPT, lambda: _stored(build_ppt.record(0x1011, STORED)), "/Auto", "ppt.macro"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_rules_see_the_source_of_macros(case: str) -> None:
    kind, make, place, code = GIVEN[case]
    given = context(f"a.{kind}", kind)
    seen: dict[str, bytes] = {}
    given.scan = lambda layer, where, _kind: seen.update({where: layer.bytes()}) or []
    BY_KIND[kind].sanitize(Source(make()), given)
    assert [data for where, data in seen.items() if where.endswith(place) and not where.startswith(("Macros", "_VBA"))] == [SOURCE]
    assert [one.detail for one in given.findings if one.code == code] == ["Auto"]
    if "packed" not in case:
        assert seen["Other/Package"] == b"native"


@pytest.mark.parametrize("part", [build_ppt.record(0x1011, b"\0\0\0\0no zlib", 0, 1), build_ppt.record(0x1011, b"", 0, 1), build_ppt.record(0x1011, b"no file")])
def test_storages_that_nobody_can_open_stay_behind(part: bytes) -> None:
    assert run(_stored(part), "a.ppt").content is not None


def test_packed_storages_are_bounded() -> None:
    bomb = build_ppt.record(0x1011, struct.pack("<I", 1 << 24) + zlib.compress(bytes(1 << 24)), 0, 1)
    with pytest.raises(LimitExceeded):
        run(_stored(bomb), "a.ppt", limits=Limits(expansion_floor=1 << 20, expansion_ratio=1))


def test_storages_that_overlap_are_refused() -> None:
    """Each would be unpacked again."""
    stream = b"".join(struct.pack("<HHI", 0, 0x1011, 80 * left + 72) + bytes(72) for left in reversed(range(20)))
    with pytest.raises(Malformed):
        storages.show(stream, Edit({number: 80 * number for number in range(20)}, 1, 0, False), context())
    assert storages.show(stream, Edit({1: 0, 2: 0}, 1, 0, False), context()) == ""
