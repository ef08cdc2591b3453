"""tar: plain files and folders only, one reading, one name, no tricks with sizes."""

from __future__ import annotations

import io
import tarfile

import pytest

from sanitizers.model import Action, Kind, LimitExceeded, Limits, Malformed, Refused, Unsupported
from sanitizers.source import Source
from sanitizers.verify.archive import verify_tar
from tests.build import archive as fake
from tests.build.archive import TAR_END, pax, tar, tar_member

CHANGES = (Action.REMOVED, Action.REWRITTEN)


def rebuilt(data: bytes, **options: object) -> tuple[dict[str, bytes], list[str]]:
    given = fake.context("x.tar", Kind.TAR, size=len(data), **options)  # type: ignore[arg-type]
    made = fake.sanitize(data, given)
    verify_tar(Source(made), Source(data), given)
    again = fake.context("x.tar", Kind.TAR, size=len(made))
    assert fake.sanitize(made, again) == made
    assert not [finding for finding in again.findings if finding.action in CHANGES]
    with tarfile.open(fileobj=io.BytesIO(made)) as other:
        found = {info.name: (other.extractfile(info) or io.BytesIO()).read() for info in other}
    return found, [finding.code for finding in given.findings if finding.action in CHANGES]


def refusal(data: bytes, **options: object) -> Refused:
    with pytest.raises(Refused) as caught:
        fake.sanitize(data, fake.context("x.tar", Kind.TAR, size=len(data), **options))  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect_keeps_its_meaning_and_is_clean(form: int) -> None:
    members = {"読んで.txt": b"hello", "資料/報告.csv": b"a,b\r\n" * 300, "空/": b"", "資料/" + "長" * 32 + "/x.txt": b"x"}
    made, changed = rebuilt(tar(members, form))
    assert made == {name.rstrip("/"): data for name, data in members.items()}
    assert changed == []


def test_an_old_tar_without_magic_is_read() -> None:
    old = bytearray(tar_member("a.txt", b"\0", b"x"))
    old[257:512] = bytes(255)
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old[:512])
    assert rebuilt(bytes(old) + TAR_END) == ({"a.txt": b"x"}, [])


def test_cp932_and_dot_names_are_read() -> None:
    made, changed = rebuilt(tar({"./ソ表能/予定.txt": b"x"}, tarfile.GNU_FORMAT, "cp932"))
    assert made == {"ソ表能/予定.txt": b"x"}
    assert changed == []


def test_the_folder_that_all_is_in_is_no_member() -> None:
    assert rebuilt(tar({"./": b"", "./a.txt": b"x"})) == ({"a.txt": b"x"}, [])


def test_owners_modes_and_attributes_do_not_come_along() -> None:
    data = pax(SCHILY__xattr__user__canary="canary") + tar_member("a.txt", b"0", b"x") + TAR_END
    made = fake.sanitize(data, fake.context("x.tar", Kind.TAR))
    assert b"canary" not in made
    with tarfile.open(fileobj=io.BytesIO(made)) as other:
        (info,) = other.getmembers()
    assert (info.mode, info.uid, info.gid, info.uname, info.mtime) == (0o644, 0, 0, "", 0)


@pytest.mark.parametrize("flag", [b"1", b"2", b"3", b"4", b"6", b"Z"])
def test_links_devices_and_unknown_types_are_never_written(flag: bytes) -> None:
    data = tar_member("good.txt", b"0", b"x") + tar_member("link", flag, link="/etc/passwd") + TAR_END
    made, changed = rebuilt(data)
    assert list(made) == ["good.txt", "link.無害化通知.txt"]
    assert changed == ["archive.link"]


def test_a_link_by_pax_is_a_link() -> None:
    made, _ = rebuilt(tar_member("good.txt", b"0", b"x") + pax(linkpath="/etc/passwd") + tar_member("l", b"0") + TAR_END)
    assert list(made) == ["good.txt", "l.無害化通知.txt"]


def test_a_link_by_gnu_long_link_is_a_link() -> None:
    made, _ = rebuilt(tar_member("good.txt", b"0", b"x") + tar_member("K", b"K", b"/etc/passwd\0") + tar_member("l", b"0") + TAR_END)
    assert list(made) == ["good.txt", "l.無害化通知.txt"]


def test_climbing_and_absolute_paths() -> None:
    data = tar_member("../evil.txt", b"0", b"evil") + tar_member("/abs.txt", b"0", b"x") + TAR_END
    made, changed = rebuilt(data)
    assert b"evil" not in made.values()
    assert made["abs.txt"] == b"x"
    assert changed == ["archive.path_traversal"] * 2


def test_a_bad_member_leaves_a_notice() -> None:
    made, changed = rebuilt(tar({"a.txt": b"x", "e.exe": fake.BAD}))
    assert list(made) == ["a.txt", "e.exe.無害化通知.txt"]
    assert changed == ["archive.member_dropped"]


def _sized(field: bytes, data: bytes = b"x") -> bytes:
    """One member whose size stands there in these twelve bytes."""
    block = bytearray(tar_member("x.txt", b"0", data))
    block[124:136] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block) + TAR_END


@pytest.mark.parametrize("field", [b"\x80" + bytes(10) + b"\x01", b"          1\0", b"00000000001 "])
def test_a_size_may_be_binary_or_padded_in_several_ways(field: bytes) -> None:
    assert rebuilt(_sized(field)) == ({"x.txt": b"x"}, [])


def test_a_size_of_nothing_at_all_is_zero() -> None:
    assert rebuilt(_sized(bytes(12), b"")) == ({"x.txt": b""}, [])


def test_comments_of_git_and_an_archive_without_an_end_marker_are_read() -> None:
    assert rebuilt(tar_member("g", b"g", b"14 comment=ab\n") + tar_member("x.txt", b"0", b"x")) == ({"x.txt": b"x"}, [])


X = tar_member("x.txt", b"0", b"x")
BROKEN = {
    "checksum": (bytes([X[0] ^ 1]) + X[1:] + TAR_END, "tar.header"),
    "cut header": (X + X[:100], "tar.header"),
    "cut data": (tar_member("x", b"0", b"", size=5000) + TAR_END, "tar.size"),
    "size said twice": (pax(size="0") + tar_member("x", b"0", X + TAR_END) + TAR_END, "tar.size"),
    "data after the end": (X + TAR_END + tar_member("hidden", b"0", b"y") + TAR_END, "tar.trailing_data"),
    "folder with content": (tar_member("d/", b"5", b"hidden") + TAR_END, "tar.size"),
    "two pax headers": (pax(path="a") + pax(path="b") + X + TAR_END, "tar.header"),
    "pax without a member": (pax(path="a") + TAR_END, "tar.header"),
    "pax key twice": (tar_member("p", b"x", b"9 path=a\n9 path=b\n") + X + TAR_END, "tar.header"),
    "broken pax": (tar_member("p", b"x", b"99 path=a\n") + X + TAR_END, "tar.header"),
    "global path": (tar_member("g", b"g", b"9 path=a\n") + X + TAR_END, "tar.header"),
    "two long names": (tar_member("L", b"L", b"a\0") + tar_member("L", b"L", b"b\0") + X + TAR_END, "tar.header"),
    "long name and pax path": (tar_member("L", b"L", b"a\0") + pax(path="b") + X + TAR_END, "tar.header"),
    "sparse": (tar_member("s", b"S") + TAR_END, "tar.sparse"),
    "sparse by pax": (pax(GNU__sparse__major="1") + X + TAR_END, "tar.sparse"),
    "volume": (tar_member("v", b"M", b"rest") + TAR_END, "archive.multi_volume"),
    "twins": (X + X + TAR_END, "archive.duplicate_name"),
    "checksum that is no number": (X[:148] + b"words\0 " + X[155:] + TAR_END, "tar.header"),
    "a size below nothing": (_sized(b"\xff" * 12), "tar.header"),
    "a size beyond everything": (_sized(b"\x80" + b"\x7f" * 11), "tar.header"),
    "a size beyond the file": (_sized(b"\x80" + bytes(9) + b"\x10\0"), "tar.size"),
    "pax without a length": (tar_member("p", b"x", b"path=a\n") + X + TAR_END, "tar.header"),
    "pax without a value": (tar_member("p", b"x", b"7 path\n") + X + TAR_END, "tar.header"),
    "pax of no length": (tar_member("p", b"x", b"0 path=a\n") + X + TAR_END, "tar.header"),
    "NUL in a long name": (tar_member("L", b"L", b"a\0b") + X + TAR_END, "tar.header"),
    "NUL in a pax path": (pax(path="a\0.exe") + X + TAR_END, "tar.header"),
    "case twins": (X + tar_member("X.TXT", b"0", b"y") + TAR_END, "archive.duplicate_name"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_or_ambiguous_tar_is_refused(kind: str) -> None:
    data, code = BROKEN[kind]
    caught = refusal(data)
    assert caught.code == code
    assert isinstance(caught, Malformed | Unsupported)


def test_limits() -> None:
    assert isinstance(refusal(tar({f"{n}.txt": b"" for n in range(60)}), limits=Limits(parts=50)), LimitExceeded)
    assert isinstance(refusal(tar_member("L", b"L", b"a" * 70_000) + X + TAR_END), LimitExceeded)
    assert isinstance(refusal(X * 0 + pax(comment="c") * 300 + TAR_END, limits=Limits(parts=50)), Refused)
