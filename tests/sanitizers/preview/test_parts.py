"""What lies in a file: told as a tree, and each part can be looked at like a file of its own."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from sanitizers import preview
from sanitizers.model import Job, Limits, Reason
from sanitizers.preview_words import MOST_PARTS, Look, Shown, View
from sanitizers.source import Source
from tests.build import doc, message, ooxml, pdf, previews
from tests.build import zip as archive
from tests.sanitizers.preview.test_reading import look


def tree(data: bytes, name: str) -> Shown:
    return look(data, name, View.PARTS)[0]


def told(shown: Shown) -> list[tuple[tuple[int, ...], str, str]]:
    return [(piece.part, piece.name, piece.kind) for piece in shown.parts]


def nested() -> bytes:
    """A mail with a zip, in which there are a PDF with an attachment and a picture."""
    document = pdf.clean()
    pdf._attachment(document)
    packed = archive.plain(**{"a.pdf": pdf.saved(document), "b.png": previews.picture()})
    return message.parts_mail(message.text(), message.attachment(packed, b"pack.zip", b"application/zip"))


def test_a_tree_tells_every_part_with_its_place_kind_and_digest() -> None:
    shown = tree(nested(), "a.eml")
    assert told(shown)[:2] == [((0,), "pack.zip", "zip"), ((0, 0), "a.pdf", "pdf")]
    assert told(shown)[-1] == ((0, 1), "b.png", "png")
    assert any(piece.part == (0, 0, 0) for piece in shown.parts)
    assert shown.parts[-1].sha256 == hashlib.sha256(previews.picture()).hexdigest()
    assert (shown.cut, shown.fault) == (False, "")


def test_every_part_of_the_tree_can_be_looked_at() -> None:
    data = nested()
    for piece in tree(data, "a.eml").parts:
        seen, _ = look(data, "a.eml", part=piece.part)
        assert (seen.name, seen.kind, seen.size, seen.sha256, seen.fault) == (piece.name, piece.kind, piece.size, piece.sha256, "")
    assert look(data, "a.eml", part=(0, 0))[0].lines[:1] == ("visible 1",)
    assert look(data, "a.eml", View.PAGE, part=(0, 1))[0].drawn == (40, 20)


@pytest.mark.parametrize("part", [(5,), (0, 9), (0, 1, 0), (0,) * 8])
def test_a_part_that_is_not_there(part: tuple[int, ...]) -> None:
    assert look(nested(), "a.eml", part=part)[0].fault == Reason.MALFORMED


def test_a_package_shows_its_members_and_a_compound_file_its_streams() -> None:
    assert "word/vbaProject.bin" in [piece.name for piece in tree(previews.reaching_document(), "a.docm").parts]
    assert {"WordDocument", "1Table"} <= {piece.name for piece in tree(doc.document(), "a.doc").parts}


def test_an_archive_that_the_engine_refuses_is_listed_all_the_same() -> None:
    twice = archive.build(archive.Entry(b"a.txt", b"one"), archive.Entry(b"a.txt", b"two"))
    shown = tree(twice, "a.zip")
    assert [piece.name for piece in shown.parts] == ["a.txt", "a.txt"]
    assert {look(twice, "a.zip", part=(number,))[0].lines for number in (0, 1)} == {("one",), ("two",)}


def test_an_archive_of_which_nothing_is_delivered_shows_what_it_has() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        content = b"MZ" + bytes(100)
        entry = tarfile.TarInfo("setup.exe")
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    names = [piece.name for piece in tree(stream.getvalue(), "a.tar.gz").parts]
    assert names[-1] == "setup.exe"


def test_a_locked_archive_says_so() -> None:
    locked = archive.build(archive.traditional(archive.Entry(b"a.txt", b"secret"), b"pw"))
    assert tree(locked, "a.zip").fault == Reason.ENCRYPTED
    inside = message.parts_mail(message.attachment(locked, b"a.zip", b"application/zip"))
    assert [piece.fault for piece in tree(inside, "a.eml").parts] == [Reason.ENCRYPTED]


def test_no_more_parts_than_the_bound_and_that_is_said() -> None:
    shown = tree(archive.plain(**{f"{number}.txt": b"x" for number in range(MOST_PARTS + 20)}), "a.zip")
    assert (len(shown.parts), shown.cut) == (MOST_PARTS, True)


def test_a_tree_is_no_deeper_than_the_bound() -> None:
    data = b"words"
    for depth in range(12):
        data = archive.plain(**{f"{depth}.zip" if depth else "a.txt": data})
    assert max(len(piece.part) for piece in tree(data, "a.zip").parts) == 8


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive.plain(a=bytes(3 << 20))
    data = archive.plain(**{f"{number}.zip": bomb for number in range(8)})
    limits = Limits(expanded_bytes=8 << 20, expansion_floor=8 << 20)
    shown, _ = preview.show(Job(name="a.zip", limits=limits), Look(view=View.PARTS), Source(data))
    assert [piece.fault for piece in shown.parts if piece.kind == "zip"] == ["", "", *[Reason.LIMIT_EXCEEDED] * 6]


def test_names_of_parts_show_what_they_say() -> None:
    data = message.parts_mail(message.attachment(b"x", "請求\u202egpj.exe".encode(), b"text/plain"))
    assert tree(data, "a.eml").parts[0].name == "請求[U+202E]gpj.exe"


def test_the_structure_of_a_part_is_told_from_there() -> None:
    shown, _ = look(nested(), "a.eml", View.PARTS, part=(0,))
    assert [piece.part for piece in shown.parts][:1] == [(0, 0)]
    assert tree(ooxml.docx().bytes(), "a.docx").kind == "docx"
