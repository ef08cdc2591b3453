"""The catalogue of dangers in archives and names, one built case each, through the whole engine; the results are read by other programs."""

from __future__ import annotations

import io
import subprocess
import tarfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from sanitizers.context import Outcome
from sanitizers.model import LimitExceeded, Limits, Reason, Verdict
from tests.build import archive as fake
from tests.build.context import run
from tests.build.readers import agreed, by_program
from tests.build.zip import UTF8, Entry, aes, build, local, plain, traditional, unicode_path

TEXT = "本文\r\n".encode()
PROGRAM = b"MZ" + bytes(300)


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def refused(data: bytes, name: str = "x.zip", **options: object) -> tuple[Verdict, Reason | None, set[str]]:
    outcome = run(data, name, **options)
    assert outcome.content is None
    return outcome.report.verdict, outcome.report.reason, codes(outcome)


def opened(data: bytes, folder: Path, name: str = "x.zip", **options: object) -> tuple[dict[str, bytes], Outcome]:
    """The members on which all readers agree; sanitising again changes not one byte."""
    outcome = run(data, name, **options)
    assert outcome.content is not None, outcome.report
    made = outcome.content.bytes()
    again = run(made, outcome.report.output.name if outcome.report.output else name)
    assert again.report.verdict is Verdict.CLEAN
    assert again.content is not None
    assert again.content.bytes() == made
    return agreed(made, folder), outcome


def test_readers_agree_on_an_ordinary_archive(tmp_path: Path) -> None:
    names = [name for name in fake.JAPANESE_NAMES if name.endswith(".txt")]
    members = build(*(Entry(name.encode(), TEXT * number, flags=UTF8) for number, name in enumerate(names, 1)), Entry(b"empty/", b"", method=0))
    made, outcome = opened(members, tmp_path)
    assert outcome.report.verdict is Verdict.CLEAN
    assert list(made) == [*names, "empty/"]


def test_a01_a_payload_twelve_deep_is_refused_and_not_passed() -> None:
    data = plain(evil_exe=PROGRAM, fine_txt=TEXT)
    for _ in range(12):
        data = build(Entry(b"deeper.zip", data))
    with pytest.raises(LimitExceeded):
        run(data, "x.zip")


def test_a01_seven_deep_is_cleaned_to_the_bottom(tmp_path: Path) -> None:
    data = plain(evil_exe=PROGRAM, fine_txt=TEXT)
    for _ in range(6):
        data = build(Entry(b"deeper.zip", data, method=0))
    made, _ = opened(data, tmp_path)
    for _ in range(6):
        tmp_path /= "in"
        tmp_path.mkdir()
        made = agreed(made["deeper.zip"], tmp_path)
    assert list(made) == ["evil.exe.無害化通知.txt", "fine.txt"]


def _overlapping() -> bytes:
    kernel = Entry(b"0", bytes(1 << 20))
    return build(kernel, *(Entry(b"%d" % number, bytes(1 << 20), written=False, offset=0) for number in range(1, 40)))


def _nested(levels: int, width: int) -> bytes:
    """42.zip: each level holds the one below several times."""
    data = build(Entry(b"0.txt", bytes(4 << 20)))
    for _ in range(levels):
        data = build(*(Entry(b"%d.zip" % number, data) for number in range(width)))
    return data


def _quine() -> bytes:
    """An archive whose only member names itself an archive of the same bytes, as far as can be followed."""
    data = build(Entry(b"r/r.zip", b"PK\5\6" + bytes(18)))
    for _ in range(30):
        data = build(Entry(b"r/r.zip", data))
    return data


_ONE = Entry(b"a", b"")
# Built where one is looked at, not by every worker that reads this file.
BOMBS: dict[str, Callable[[], bytes]] = {
    "ratio": lambda: build(Entry(b"0.txt", bytes(300 << 20))),
    "nested": lambda: _nested(3, 10),
    "quine": _quine,
    "many small": lambda: build(*(Entry(b"%d.txt" % number, bytes(1 << 20)) for number in range(200))),
    "million members": lambda: build(_ONE, end={"count": 65534, "here": 65534}),
    "million members, zip64": lambda: build(_ONE, zip64=True, end64={"count": 1_000_000, "here": 1_000_000}),
    "long name": lambda: build(Entry(b"a" * 60_000, b"x")),
    "gz": lambda: fake.gz(bytes(300 << 20)),
    "gz in gz": lambda: fake.gz(fake.gz(bytes(300 << 20))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a02_a_bomb_ends_at_the_limit(kind: str) -> None:
    with pytest.raises(LimitExceeded):
        run(BOMBS[kind](), "x.gz" if kind.startswith("gz") else "x.zip")


def test_a02_overlapping_members_are_no_archive() -> None:
    assert refused(_overlapping()) == (Verdict.HELD, Reason.MALFORMED, {"zip.overlap"})


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": b"b.txt"}, "zip.header_mismatch"), ({"method": 0}, "zip.header_mismatch"), ({"size": 9}, "zip.header_mismatch"),
        ({"packed": 3}, "zip.header_mismatch"), ({"flags": 1}, "zip.header_mismatch"), ({"crc": 9}, "zip.header_mismatch"),
    ],
)  # fmt: skip
def test_a03_two_headers_that_disagree(said: dict[str, object], code: str) -> None:
    assert refused(build(Entry(b"a.txt", TEXT, local=said)))[2] == {code}


def test_a04_an_entry_without_a_directory_record() -> None:
    assert refused(build(Entry(b"a.txt", TEXT), Entry(b"evil", PROGRAM, listed=False), Entry(b"b.txt", TEXT)))[2] == {"zip.orphan_entry"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (build(Entry(b"a.txt", TEXT), comment=build(Entry(b"b.txt", TEXT))), "zip.two_ends"),
        (build(Entry(b"a.txt", TEXT), comment=local(Entry(b"b.txt", TEXT))), "zip.two_ends"),
        (build(Entry(b"a.txt", TEXT), Entry(b"b.txt", TEXT), end={"count": 1, "here": 1}), "zip.count"),
        (build(Entry(b"a.txt", TEXT), end={"count": 65535, "here": 65535}), "zip.count"),
        (build(Entry(b"a.txt", TEXT), zip64=True, end={"count": 9, "here": 9}), "zip.zip64"),
    ],
)
def test_a05_two_ends_and_wrong_counts(data: bytes, code: str) -> None:
    caught = refused(data, limits=Limits(parts=100_000))
    assert caught[2] == {code}


A06 = {
    b"../../evil.txt": ("zip.path_traversal", None),
    b"..\\..\\evil.txt": ("zip.path_traversal", None),
    b"/etc/passwd.txt": ("zip.path_traversal", "etc/passwd.txt"),
    b"C:\\Windows\\a.txt": ("zip.path_traversal", "Windows/a.txt"),
    b"\\\\server\\share\\a.txt": ("zip.path_traversal", "server/share/a.txt"),
    b"a.txt:hidden.txt": ("file.unsafe_name", "a.txt_hidden.txt"),
    b"d/CON.txt": ("file.unsafe_name", "d/_CON.txt"),
    b"aux": ("file.unsafe_name", "_aux.txt"),
}


@pytest.mark.parametrize("name", A06)
def test_a06_paths(name: bytes, tmp_path: Path) -> None:
    code, expected = A06[name]
    made, outcome = opened(build(Entry(name, TEXT), Entry(b"fine.txt", TEXT)), tmp_path)
    assert code in codes(outcome)
    assert made.get("fine.txt") == TEXT
    others = [path for path in made if path != "fine.txt"]
    assert others == [expected] if expected else all(path.endswith(".無害化通知.txt") for path in others)


@pytest.mark.parametrize("flag", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a06_links_and_devices(flag: bytes, tmp_path: Path) -> None:
    data = fake.tar_member("link", flag, link="/etc/passwd") + fake.tar_member("a.txt", data=TEXT) + fake.TAR_END
    outcome = run(data, "x.tar")
    assert outcome.content is not None
    made = by_program(outcome.content.bytes(), tmp_path / "bsdtar", "bsdtar", "-xf", "{}")
    assert made["a.txt"] == TEXT
    assert set(made) == {"a.txt", "link.無害化通知.txt"}
    with tarfile.open(fileobj=io.BytesIO(outcome.content.bytes())) as other:
        assert {(info.mode, info.uid, info.type) for info in other} == {(0o644, 0, tarfile.REGTYPE)}


@pytest.mark.parametrize(("name", "mode"), [("link", 0o120777), ("link|..", None), ("link|/etc/passwd", 0o120777)])
def test_a06_links_of_lha(name: str, mode: int | None, tmp_path: Path) -> None:
    first = fake.lzh({"a.txt": TEXT})[:-1]
    made, outcome = opened(first + fake.lzh3(name, b"/etc/passwd", mode), tmp_path, "x.lzh")
    assert made["a.txt"] == TEXT
    assert "archive.link" in codes(outcome)
    assert not [data for data in made.values() if data == b"/etc/passwd"]


def test_a07_one_name_of_two(tmp_path: Path) -> None:
    raw = "表.txt".encode("cp932")
    made, _ = opened(build(Entry(raw, TEXT, extra=unicode_path(raw, "表.txt"))), tmp_path)
    assert list(made) == ["表.txt"]
    assert refused(build(Entry("表.txt".encode(), TEXT, flags=UTF8, extra=unicode_path("表.txt".encode(), "裏.txt"))))[2] == {"zip.name"}


A08 = {
    "ZipCrypto": (build(traditional(Entry(b"a.txt", TEXT), b"secret")), "x.zip"),
    "AES-256": (build(aes(Entry(b"a.txt", TEXT), b"secret")), "x.zip"),
    "AES-128, AE-1": (build(aes(Entry(b"a.txt", TEXT), b"secret", strength=1, vendor=1)), "x.zip"),
    "half of it": (build(Entry(b"b.txt", TEXT), traditional(Entry(b"a.txt", TEXT), b"secret")), "x.zip"),
    "7z": (fake.locked_sevenzip({"a.txt": TEXT}, "secret"), "x.7z"),
    "7z with names": (fake.locked_sevenzip({"a.txt": TEXT}, "secret", names_too=True), "x.7z"),
    "AttachéCase": (fake.attachecase({"a.txt": TEXT}, "secret"), "x.atc"),
    "zip in zip": (build(Entry(b"in.zip", build(traditional(Entry(b"a.txt", TEXT), b"secret")), method=0)), "x.zip"),
    "zip in tar.gz": (fake.gz(fake.tar({"in.zip": build(traditional(Entry(b"a.txt", TEXT), b"secret"))})), "x.tgz"),
}


@pytest.mark.parametrize("kind", A08)
def test_a08_locked_is_held_until_the_password_comes(kind: str) -> None:
    data, name = A08[kind]
    for passwords in ((), ("wrong",), ("wrong", "パス")):
        verdict, reason, _ = refused(data, name, passwords=passwords)
        assert (verdict, reason) == (Verdict.HELD, Reason.ENCRYPTED)
    outcome = run(data, name, passwords=("wrong", "secret"))
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.content is not None
    assert run(outcome.content.bytes(), "again.zip" if not name.endswith("tgz") else "again.tgz").report.verdict is Verdict.CLEAN


def test_a08_what_is_locked_is_listed() -> None:
    data = build(*(traditional(Entry(b"%d.txt" % number, TEXT), b"secret") for number in range(3)))
    report = run(data, "x.zip").report
    assert report.findings[-1].detail == "needs a password: 0.txt, 1.txt, 2.txt"


def _real(folder: Path, *words: str) -> bytes:
    """7-Zip's own work: words of its command line, on a folder with one text and one program-like file."""
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / "報告.txt").write_bytes(TEXT * 500)
    (folder / "in" / "表.csv").write_bytes(b"1,2\r\n" * 500)
    subprocess.run(["7z", "a", "-bd", "-bso0", *words, str(folder / "made"), "."], cwd=folder / "in", check=True, timeout=60)
    return next(folder.glob("made*")).read_bytes()


@pytest.mark.parametrize("words", [("-t7z",), ("-t7z", "-m0=PPMd"), ("-t7z", "-m0=BZip2"), ("-t7z", "-m0=Deflate"), ("-t7z", "-m0=BCJ2", "-m1=LZMA2"), ("-tzip",), ("-ttar",)])
def test_a11_what_seven_zip_writes_is_opened(words: tuple[str, ...], tmp_path: Path) -> None:
    outcome = run(_real(tmp_path, *words), f"x.{words[0][2:]}")
    assert outcome.content is not None, outcome.report
    seen = by_program(outcome.content.bytes(), tmp_path / "out", "bsdtar", "-xf", "{}")
    assert seen == {"報告.txt": TEXT * 500, "表.csv": b"1,2\r\n" * 500}


@pytest.mark.parametrize("words", [("-t7z", "-psecret"), ("-t7z", "-psecret", "-mhe=on"), ("-t7z", "-psecret", "-m0=LZMA"), ("-t7z", "-psecret", "-m0=BZip2"), ("-t7z", "-psecret", "-m0=Deflate"), ("-tzip", "-psecret"), ("-tzip", "-psecret", "-mem=AES256")])
def test_a08_what_seven_zip_locks_is_opened(words: tuple[str, ...], tmp_path: Path) -> None:
    data = _real(tmp_path, *words)
    assert refused(data, "x.7z")[1] is Reason.ENCRYPTED
    outcome = run(data, "x.7z", passwords=("secret",))
    assert outcome.content is not None, outcome.report
    assert set(agreed(outcome.content.bytes(), tmp_path)) == {"報告.txt", "表.csv"}


@pytest.mark.parametrize("method", [("-m0=PPMd",), ("-m0=BCJ2", "-m1=LZMA2", "-m2=LZMA", "-m3=LZMA", "-mb0:1", "-mb0s1:2", "-mb0s2:3")])
def test_a08_a_lock_that_no_password_opens_is_said_to_be_one(method: tuple[str, ...], tmp_path: Path) -> None:
    data = _real(tmp_path, "-t7z", "-psecret", *method)
    assert refused(data, "x.7z", passwords=("secret",))[1:] == (Reason.UNSUPPORTED_KIND, {"archive.locked"})


@pytest.mark.parametrize("name", ["x.zip.001", "x.zip.002", "x.z01", "x.7z.003", "x.part2.rar", "x.r00"])
def test_a09_parts_of_a_split_set(name: str) -> None:
    whole = build(Entry(b"a.bin", bytes(range(256)) * 30, method=0))
    piece = whole[:3000] if name.endswith("zip.001") else whole[3000:6000]
    verdict, reason, found = refused(piece, name)
    assert (verdict, reason) == (Verdict.HELD, Reason.UNSUPPORTED_KIND)
    assert "archive.multi_volume" in found


def test_a09_what_seven_zip_splits(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("".join(str(number**7) for number in range(20_000)))
    for form in ("7z", "zip"):
        subprocess.run(["7z", "a", "-bd", "-bso0", f"-t{form}", "-v20k", str(tmp_path / f"m.{form}"), "a.txt"], cwd=tmp_path / "in", check=True)
    parts = sorted(tmp_path.glob("m.*"))
    assert len(parts) > 5
    for part in parts:
        assert refused(part.read_bytes(), part.name)[1] is Reason.UNSUPPORTED_KIND, part.name


FORBIDDEN = (
    "a.lnk", "a.url", "a.library-ms", "a.searchConnector-ms", "a.search-ms", "desktop.ini", "a.scf", "a.settingcontent-ms", "a.msc", "a.rdp",
    "a.iqy", "a.slk", "a.xll", "a.hta", "a.chm", "a.one", "a.js", "a.vbs", "a.bat", "a.ps1", "a.iso", "a.img", "a.vhd", "a.exe", "a.scr",
)  # fmt: skip


def test_a10_what_acts_when_it_is_unpacked_stays_behind(tmp_path: Path) -> None:
    data = build(*(Entry(name.encode(), b"harmless words\r\n") for name in FORBIDDEN), Entry(b"fine.txt", TEXT))
    made, outcome = opened(data, tmp_path)
    assert made["fine.txt"] == TEXT
    assert sorted(made) == sorted(["fine.txt", *(f"{name}.無害化通知.txt" for name in FORBIDDEN)])
    dropped = {finding.where for finding in outcome.report.findings if finding.code == "zip.member_dropped"}
    assert dropped == set(FORBIDDEN)


LIBRARY = b'<?xml version="1.0"?><libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library"><x/></libraryDescription>'


@pytest.mark.parametrize("content", [LIBRARY, b"[InternetShortcut]\r\nURL=file://x/y\r\n", b"L\0\0\0\x01\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0F" + bytes(60)])
def test_a10_nor_under_another_name(content: bytes) -> None:
    assert refused(build(Entry(b"a.txt", content)))[0] is Verdict.BLOCKED


A11_BLOCKED = {
    "iso": fake.iso({"a.txt": TEXT}),
    "udf": bytes(0x8001) + b"BEA01" + bytes(2043) + b"NSR02" + bytes(4096),
    "vhd": bytes(2048) + b"conectix" + bytes(504),
    "vhdx": b"vhdxfile" + bytes(500),
    "wim": b"MSWIM\0\0\0" + bytes(200),
    "dmg": bytes(2048) + b"koly" + bytes(508),
}


@pytest.mark.parametrize("kind", A11_BLOCKED)
@pytest.mark.parametrize("name", ["x.{}", "x.dat", "x.zip"])
def test_a11_disk_images_are_blocked_by_content(kind: str, name: str) -> None:
    assert refused(A11_BLOCKED[kind], name.format(kind))[:2] == (Verdict.BLOCKED, Reason.FORBIDDEN_KIND)


A11_OPENED = {
    "x.cab": fake.cab({"a.txt": TEXT}), "x.lzh": fake.lzh({"表.txt": TEXT}), "level3.lzh": fake.lzh3("能登.txt", TEXT),
    "x.7z": fake.sevenzip({"a.txt": TEXT}), "x.cpio": fake.cpio({"a.txt": TEXT}), "x.ar": fake.ar({"a.txt": TEXT}),
}  # fmt: skip


@pytest.mark.parametrize("name", A11_OPENED)
def test_a11_other_archives_come_out_as_zip(name: str, tmp_path: Path) -> None:
    made, outcome = opened(A11_OPENED[name], tmp_path, name)
    assert list(made.values()) == [TEXT]
    assert "archive.container_converted" in codes(outcome)


def test_a11_arj_is_held(tmp_path: Path) -> None:
    data = b"\x60\xea\x2a\x00\x1e\x0b\x01\x00" + bytes(60)
    assert refused(data, "x.arj") == (Verdict.HELD, Reason.UNSUPPORTED_KIND, {"file.unsupported_kind"})


def test_a12_a_self_extractor_is_a_program() -> None:
    archive = build(Entry(b"a.txt", TEXT), prefix=PROGRAM)
    assert refused(archive, "x.zip")[0] is Verdict.BLOCKED
    assert refused(build(Entry(b"a.txt", TEXT), prefix=b"hidden words\r\n"), "x.zip")[0] is Verdict.HELD


def test_n01_directions_and_invisible_characters_leave_names(tmp_path: Path) -> None:
    names = ["report\u202etxt.exe.txt", "a\u200bb.txt", "\u2066c\u2069.txt", "d\ufeff.txt", "e\u00ad.txt"]
    made, _ = opened(build(*(Entry(name.encode(), TEXT, flags=UTF8) for name in names)), tmp_path)
    assert list(made) == ["reporttxt.exe.txt", "ab.txt", "c.txt", "d.txt", "e.txt"]
    assert not [name for name in made for char in name if unicodedata.category(char) == "Cf"]


def test_n02_double_extensions_trailing_dots_and_length(tmp_path: Path) -> None:
    names = ["a.pdf.txt", "b.txt. . .", "c．exe．txt", "長" * 200 + ".txt"]
    made, _ = opened(build(*(Entry(name.encode(), TEXT, flags=UTF8) for name in names)), tmp_path)
    assert all(name.endswith(".txt") and len(name.encode()) <= 200 for name in made)
    assert list(made)[:2] == ["a.pdf.txt", "b.txt"]
    assert refused(build(Entry("d．ｅｘｅ".encode(), TEXT, flags=UTF8)))[0] is Verdict.BLOCKED


def test_n03_a_name_tells_the_true_kind_both_ways(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    made, outcome = opened(build(Entry(b"a.jpg", picture.getvalue()), Entry(b"b.txt", TEXT)), tmp_path)
    assert list(made) == ["a.png", "b.txt"]
    assert "file.kind_mismatch" in {finding.code for part in outcome.report.parts for finding in part.findings}


# --- AttachéCase ---


def test_attachecase_keeps_folders_and_japanese_names(tmp_path: Path) -> None:
    members = {"資料/": b"", "資料/表.txt": TEXT, "資料/空.txt": b"", "ソ.txt": TEXT * 2}
    made, outcome = opened(fake.attachecase(members, "ひみつ"), tmp_path, "x.atc", passwords=("ひみつ",))
    assert made == {name: data for name, data in members.items() if name != "資料/"}
    assert {"archive.container_converted", "file.decrypted"} <= codes(outcome)


def test_attachecase_behind_its_program_is_known_by_its_token(tmp_path: Path) -> None:
    data = fake.attachecase({"a.txt": TEXT}, "secret", program=PROGRAM)
    assert refused(data, "x.exe")[0] is Verdict.BLOCKED
    assert refused(data, "x.atc")[1] is Reason.ENCRYPTED
    made, _ = opened(data, tmp_path, "x.atc", passwords=("secret",))
    assert made == {"a.txt": TEXT}


@pytest.mark.parametrize("version", [105, 130])
def test_attachecase_of_older_versions_tells_what_to_ask_for(version: int) -> None:
    outcome = run(fake.attachecase({"a.txt": TEXT}, "secret", version=version), "x.atc", passwords=("secret",))
    assert outcome.report.reason is Reason.UNSUPPORTED_KIND
    assert "ask the sender" in outcome.report.findings[-1].detail


def test_attachecase_that_is_broken_is_refused() -> None:
    whole = fake.attachecase({"a.txt": TEXT, "b.txt": TEXT}, "secret")
    for broken in (whole[:-16], whole[:60], whole[:-1], whole.replace(b"_AttacheCaseData", b"_Atc_Broken_Data"), fake.attachecase({"a.txt": TEXT}, "secret", wrong=1)):
        assert refused(broken, "x.atc", passwords=("secret",))[1] in (Reason.MALFORMED, Reason.ENCRYPTED)
    climbing = run(fake.attachecase({"../a.txt": TEXT, "b.txt": TEXT}, "secret"), "x.atc", passwords=("secret",))
    assert "archive.path_traversal" in codes(climbing)


# --- one policy for bad members ---


@pytest.mark.parametrize("build_one", [lambda m: build(*(Entry(n.encode(), d) for n, d in m.items())), fake.tar, fake.sevenzip, fake.lzh, fake.cab, fake.cpio])
def test_one_bad_member_leaves_a_notice_or_holds_all(build_one: object, tmp_path: Path) -> None:
    data = build_one({"a.txt": TEXT, "bad.exe": PROGRAM})  # type: ignore[operator]
    outcome = run(data, "x")
    assert outcome.content is not None
    made = by_program(outcome.content.bytes(), tmp_path / "bsdtar", "bsdtar", "-xf", "{}")
    assert set(made) == {"a.txt", "bad.exe.無害化通知.txt"}
    assert "情報システム担当" in made["bad.exe.無害化通知.txt"].decode()
    assert refused(data, "x", bad_member_holds_archive=True)[:2] == (Verdict.HELD, Reason.POLICY)


def test_every_reader_gives_every_name_as_it_was(tmp_path: Path) -> None:
    data = build(*(Entry(name.encode("cp932"), TEXT) for name in ("①.txt", "㈱田中.txt", "髙橋.txt", "～－.txt", "ソ表能.txt", "ﾊﾝｶｸ.txt")))
    made, _ = opened(data, tmp_path)
    assert list(made) == ["①.txt", "㈱田中.txt", "髙橋.txt", "～－.txt", "ソ表能.txt", "ﾊﾝｶｸ.txt"]


@pytest.mark.parametrize("name", ["a.exe", "a.lnk", "a.zip.001", "a.bin"])
def test_even_an_empty_member_keeps_no_name_that_acts(name: str, tmp_path: Path) -> None:
    made, _ = opened(build(Entry(name.encode(), b""), Entry(b"empty.txt", b""), Entry(b"fine.txt", TEXT)), tmp_path)
    assert list(made) == [f"{name}.無害化通知.txt", "empty.txt", "fine.txt"]
