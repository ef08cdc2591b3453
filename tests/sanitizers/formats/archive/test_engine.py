"""Archives through the whole engine: identify, rebuild, second opinion, second pass."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from sanitizers.formats import BY_KIND
from sanitizers.model import Kind, Reason, Verdict
from tests.build import archive as fake
from tests.build.context import run
from tests.build.zip import UTF8, Entry, build, traditional

CORPUS = Path(__file__).resolve().parents[5] / "shared" / "corpus" / "archive"

pytestmark = pytest.mark.skipif(Kind.TEXT not in BY_KIND, reason="text has no sanitizer yet")


def listing(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        return {info.filename: other.read(info) for info in other.infolist()}


def delivered(data: bytes, name: str, **options: object) -> tuple[Verdict, bytes]:
    outcome = run(data, name, **options)
    assert outcome.content is not None, outcome.report
    return outcome.report.verdict, outcome.content.bytes()


def test_an_ordinary_archive_is_clean_under_its_own_names() -> None:
    named = [name for name in fake.JAPANESE_NAMES if name.endswith(".txt")]
    verdict, made = delivered(build(*(Entry(name.encode(), "本文\r\n".encode(), flags=UTF8) for name in named)), "名簿.zip")
    assert verdict is Verdict.CLEAN
    assert list(listing(made)) == named


def test_a_forbidden_member_leaves_a_notice_that_the_second_pass_accepts() -> None:
    data = build(Entry(b"a.txt", b"hello\r\n"), Entry("請求書.exe".encode(), b"MZ" + bytes(300), flags=UTF8))
    for language in ("ja", "en"):
        verdict, made = delivered(data, "x.zip", language=language)
        assert verdict is Verdict.SANITIZED
        assert len(listing(made)) == 2
        assert b"MZ" not in made


def test_an_empty_member_stays() -> None:
    verdict, made = delivered(build(Entry(b"a.txt", b"hello\r\n"), Entry(b"empty.txt", b"", method=0)), "x.zip")
    assert verdict is Verdict.CLEAN
    assert listing(made)["empty.txt"] == b""


def test_a_password_opens() -> None:
    data = build(traditional(Entry(b"a.txt", b"hello\r\n"), b"pass"))
    assert delivered(data, "x.zip", passwords=("pass",))[0] is Verdict.SANITIZED
    assert run(data, "x.zip").report.reason is Reason.ENCRYPTED


def test_tar_gz_and_its_relatives() -> None:
    tar = fake.tar({"資料/a.txt": "本文\n".encode()})
    verdict, made = delivered(fake.gz(tar), "x.tar.gz")
    assert verdict is Verdict.CLEAN
    with tarfile.open(fileobj=io.BytesIO(made), mode="r:gz") as other:
        assert other.getnames() == ["資料/a.txt"]
    for squeezed, ending in ((bz2.compress(tar), "bz2"), (lzma.compress(tar), "xz")):
        verdict, made = delivered(squeezed, f"x.tar.{ending}")
        assert verdict is Verdict.SANITIZED
        assert listing(made) == {"資料/a.txt": "本文\n".encode()}


@pytest.mark.parametrize("build_one", [fake.lzh, fake.sevenzip, fake.cab])
def test_foreign_archives_come_out_as_zip(build_one: object) -> None:
    verdict, made = delivered(build_one({"a.txt": b"hello\r\n"}), "x.lzh")  # type: ignore[operator]
    assert verdict is Verdict.SANITIZED
    assert listing(made) == {"a.txt": b"hello\r\n"}


EXPECTED = {
    "PayloadsAllTheThings/etc_passwd.zip": Reason.MALFORMED,
    "commons-compress/COMPRESS-178-fail.tar": Reason.MALFORMED,
    "commons-compress/COMPRESS-227.zip": Reason.MALFORMED,
    "commons-compress/bla.arj": Reason.UNSUPPORTED_KIND,
    "commons-compress/numCyclesPower30.bin": Reason.ENCRYPTED,
    "commons-compress/oldgnu_sparse.tar": Reason.UNSUPPORTED_KIND,
    "fess-testdata/test.iso": Reason.FORBIDDEN_KIND,
    "oletools/dde-in-word2003.xml.zip": Reason.ENCRYPTED,
    "oletools/dde-test-from-office2003.doc.zip": Reason.ENCRYPTED,
    "py7zr/archive.7z.001": Reason.UNSUPPORTED_KIND,
    "py7zr/archive.7z.002": Reason.UNSUPPORTED_KIND,
    "py7zr/filename_encryption.7z": Reason.ENCRYPTED,
    "rarfile/rar3-comment-psw.rar": Reason.ENCRYPTED,
    "rarfile/rar5-psw.rar": Reason.ENCRYPTED,
    "yauzl/extra_field_length_exceeds_extra_field_buffer_size.zip": Reason.MALFORMED,
    "yauzl/file_data_overflows_file_bounds_63_2147483647_308.zip": Reason.MALFORMED,
    "commons-compress/bla.lha": None,
    "commons-compress/test-amiga-l0-lh4.lha": None,
    "commons-compress/test-macos-l0-lh6.lha": None,
    "commons-compress/test-macos-l0-lh7.lha": None,
    "commons-compress/test-msdos-l0.lha": None,
    "commons-compress/test-msdos-l2-attrib.lha": None,
    "commons-compress/multiple.gz": None,
    "fess-testdata/test.txt.bz2": None,
    "fess-testdata/test.txt.xz": None,
    "rarfile/rar5-evil-symlink-traversal.rar": None,
    "zip-slip-vulnerability/zip-slip.zip": None,
    "zip-slip-vulnerability/zip-slip-win.zip": None,
    "zip-slip-vulnerability/zip-slip.tar": None,
    "zip-slip-vulnerability/zip-slip-win.tar": None,
}


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="corpus is absent")
@pytest.mark.parametrize("name", EXPECTED)
def test_real_archives_end_with_the_right_reason(name: str) -> None:
    assert run((CORPUS / name).read_bytes(), Path(name).name).report.reason is EXPECTED[name]
