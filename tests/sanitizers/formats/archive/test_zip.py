"""zip: every member goes round the engine; what cannot be delivered leaves a notice; the rest stays as it was."""

from __future__ import annotations

import io
import zipfile

import pytest

from sanitizers.model import (
    Action,
    Encrypted,
    Forbidden,
    LimitExceeded,
    Limits,
    Malformed,
    PolicyRefused,
    Refused,
    Unsupported,
)
from sanitizers.source import Source
from sanitizers.verify.archive import verify_zip
from tests.build import archive as fake
from tests.build.zip import UTF8, Entry, aes, build, local, plain, traditional, unicode_path

CHANGES = (Action.REMOVED, Action.REWRITTEN)


def listing(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        return {info.filename: other.read(info) for info in other.infolist()}


def rebuilt(data: bytes, **options: object) -> tuple[dict[str, bytes], list[str]]:
    """The new archive's members and the codes of what was changed, after the second opinion and the second pass agreed."""
    given = fake.context(size=len(data), **options)  # type: ignore[arg-type]
    made = fake.sanitize(data, given)
    verify_zip(Source(made), Source(data), given)
    again = fake.context(size=len(made))
    assert fake.sanitize(made, again) == made
    assert not [finding for finding in again.findings if finding.action in CHANGES]
    return listing(made), [finding.code for finding in given.findings if finding.action in CHANGES]


def refusal(data: bytes, **options: object) -> Refused:
    given = fake.context(size=len(data), **options)  # type: ignore[arg-type]
    with pytest.raises(Refused) as caught:
        fake.sanitize(data, given)
    assert not [finding for finding in given.findings if finding.action in CHANGES]
    return caught.value


def test_an_ordinary_archive_keeps_its_meaning_and_is_clean() -> None:
    members = {"読んで.txt": b"hello", "資料/報告.csv": b"a,b\r\n", "資料/空/": b"", "z.txt": b""}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, data in members.items():
            writer.writestr(name, data)
    made, changed = rebuilt(file.getvalue())
    assert {name: data for name, data in made.items() if data} == {name: data for name, data in members.items() if data}
    assert "資料/空/" in made
    assert changed == []


def test_folders_that_hold_something_are_implied() -> None:
    made, changed = rebuilt(build(Entry(b"d/", method=0), Entry(b"d/a.txt", b"x"), Entry(b"e/", method=0)))
    assert list(made) == ["d/a.txt", "e/"]
    assert changed == []


def test_an_empty_archive_is_clean() -> None:
    assert rebuilt(build()) == ({}, [])


@pytest.mark.parametrize("chosen", ["cp932", "utf-8 unmarked", "utf-8", "unicode path"])
def test_japanese_names_survive_every_way_of_writing_them(chosen: str) -> None:
    entries, expected = [], []
    for name in fake.JAPANESE_NAMES:
        raw, flags, extra = name.encode(), 0, b""
        if chosen == "cp932":
            try:
                raw = name.encode("cp932")
            except UnicodeEncodeError:
                continue
            name = name.replace("\u301c", "\uff5e")  # noqa: PLW2901 - the same bytes on Windows
        elif chosen == "utf-8":
            flags = UTF8
        elif chosen == "unicode path":
            raw = name.encode("ascii", "replace")
            raw = b"%d" % len(entries) + raw.replace(b"?", b"_")
            extra = unicode_path(raw, name)
        entries.append(Entry(raw, f"content {len(entries)}".encode(), flags=flags, extra=extra))
        expected.append(name)
    if chosen == "cp932":  # two of the names are one on Windows
        entries = [entry for index, entry in enumerate(entries) if expected.index(expected[index]) == index]
        expected = list(dict.fromkeys(expected))
    made, changed = rebuilt(build(*entries))
    stems = [name.rpartition(".")[0] for name in made]
    assert stems == [name.rpartition(".")[0] for name in expected]
    assert changed == []


def test_a_unicode_path_made_for_another_name_does_not_count() -> None:
    made, _ = rebuilt(build(Entry(b"shown.txt", b"x", extra=unicode_path(b"shown.txt", "other.txt", crc=1))))
    assert list(made) == ["shown.txt"]


def test_a_member_goes_out_under_the_extension_of_its_new_kind() -> None:
    made, changed = rebuilt(build(Entry(b"form.docm", b"DOCM1"), Entry(b"form.docx", b"plain")))
    assert made == {"form.docx": b"DOCX1", "form (2).docx": b"plain"}
    assert changed == ["zip.renamed"]


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (fake.BAD, "forbidden_kind", "禁止"),
        (fake.BROKEN, "malformed", "壊れている"),
        (fake.UNKNOWN, "unsupported_kind", "対応していない"),
    ],
)
def test_a_member_that_cannot_be_delivered_leaves_a_notice(content: bytes, reason: str, words: str) -> None:
    given = fake.context(receipt_no="20261120-000123")
    made = listing(fake.sanitize(plain(a_txt=b"fine", 請求書_exe=content), given))
    assert list(made) == ["a.txt", "請求書.exe.無害化通知.txt"]
    notice = made["請求書.exe.無害化通知.txt"].decode()
    assert words in notice
    assert "20261120-000123" in notice
    assert "This file was not let in." in notice
    (finding,) = [finding for finding in given.findings if finding.code == "zip.member_dropped"]
    assert (finding.action, finding.where, finding.detail) == (Action.REMOVED, "請求書.exe", reason)
    assert rebuilt(plain(a_txt=b"fine", 請求書_exe=content))[1] == ["zip.member_dropped"]


def test_a_notice_may_be_in_english() -> None:
    made, _ = rebuilt(plain(a_txt=b"fine", b_exe=fake.BAD), language="en")
    assert list(made) == ["a.txt", "b.exe.sanitisation-notice.txt"]
    assert made["b.exe.sanitisation-notice.txt"].isascii()


def test_a_notice_keeps_within_the_length_of_a_name() -> None:
    made, _ = rebuilt(build(Entry(b"a.txt", b"fine"), Entry(("長" * 300 + ".exe").encode(), fake.BAD, flags=UTF8)))
    assert all(len(name.encode()) <= 255 for name in made)


def test_nothing_delivered_is_a_refusal_for_the_worst_member() -> None:
    assert isinstance(refusal(plain(a_bin=fake.UNKNOWN)), Unsupported)
    assert isinstance(refusal(plain(a_bin=fake.UNKNOWN, b_exe=fake.BAD, c_doc=fake.BROKEN)), Forbidden)


def test_policy_may_let_one_bad_member_hold_all() -> None:
    assert isinstance(refusal(plain(a_txt=b"fine", b_exe=fake.BAD), bad_member_holds_archive=True), PolicyRefused)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("/etc/cron.txt", "etc/cron.txt"), ("C:\\x.txt", "x.txt"), ("\\\\192.0.2.1\\s\\x.txt", "192.0.2.1/s/x.txt")],
)
def test_a_rooted_path_becomes_relative(name: str, shown: str) -> None:
    made, changed = rebuilt(build(Entry(name.encode(), b"x")))
    assert list(made) == [shown]
    assert "zip.path_traversal" in changed


@pytest.mark.parametrize("name", ["../x.txt", "a/../../x.txt", "..\\x.txt", "a/.. ./x.txt"])
def test_a_path_that_climbs_is_never_written(name: str) -> None:
    made, changed = rebuilt(build(Entry(b"good.txt", b"x"), Entry(name.encode(), b"evil")))
    assert b"evil" not in made.values()
    assert "zip.path_traversal" in changed
    assert isinstance(refusal(build(Entry(name.encode(), b"evil"))), Malformed)


@pytest.mark.parametrize("mode", [0o120777, 0o060644, 0o020644, 0o010644, 0o140644])
def test_links_and_devices_are_never_written(mode: int) -> None:
    made, changed = rebuilt(build(Entry(b"good.txt", b"x"), Entry(b"link", b"/etc/passwd", attributes=mode << 16)))
    assert b"/etc/passwd" not in made.values()
    assert changed == ["zip.link"]
    assert refusal(build(Entry(b"link", b"/etc/passwd", attributes=mode << 16))).code == "zip.link"


@pytest.mark.parametrize("name", ["con.txt", "a.txt:x.exe", "a\u202etxt.exe", "a .txt. ", "x\u200b.txt", "a\x1b[0m.txt"])
def test_an_unsafe_name_is_made_harmless_and_told(name: str) -> None:
    _, changed = rebuilt(build(Entry(name.encode(), b"x", flags=0 if name.isascii() else UTF8)))
    assert changed == ["file.unsafe_name"]


def test_comments_and_unusual_fields_are_gone_and_told() -> None:
    hidden = b"\x42\x42\x06\x00canary"
    data = build(Entry(b"a.txt", b"x", extra=hidden, comment=b"canary"), comment=b"canary")
    given = fake.context()
    made = fake.sanitize(data, given)
    assert b"canary" not in made
    assert [(finding.code, finding.where) for finding in given.findings] == [
        ("zip.comment", ""),
        ("zip.comment", "a.txt"),
        ("zip.extra_data", "a.txt"),
    ]


def test_backslashes_of_windows_tools_become_folders() -> None:
    made, changed = rebuilt(build(Entry("資料\\表.txt".encode("cp932"), b"x"), Entry("資料\\".encode("cp932"), method=0)))
    assert list(made) == ["資料/表.txt"]
    assert set(changed) == {"zip.backslash"}


def test_a_name_of_no_known_encoding_is_told() -> None:
    _, changed = rebuilt(build(Entry(b"\xfd\xff.txt", b"x")))
    assert "zip.name_guessed" in changed


@pytest.mark.parametrize("lock", [traditional, aes])
def test_a_password_opens_and_the_result_is_open(lock: object) -> None:
    data = build(lock(Entry(b"a.txt", b"secret"), b"pass"), Entry(b"b.txt", b"x"))  # type: ignore[operator]
    made, changed = rebuilt(data, passwords=("pass",))
    assert made == {"a.txt": b"secret", "b.txt": b"x"}
    assert changed == ["file.decrypted"]
    locked = refusal(data, passwords=("wrong",))
    assert isinstance(locked, Encrypted)
    assert "a.txt" in locked.detail


def test_archives_inside_archives_are_rebuilt_too() -> None:
    inner = plain(ok_txt=b"fine", evil_exe=fake.BAD)
    made, _ = rebuilt(build(Entry(b"inner.zip", inner), Entry(b"t.tar", fake.tar({"x.txt": b"x", "y.exe": fake.BAD}))))
    assert list(listing(made["inner.zip"])) == ["ok.txt", "evil.exe.無害化通知.txt"]
    assert fake.BAD not in made["t.tar"]


def test_a_payload_twelve_deep_stays_inside() -> None:
    data = plain(evil_exe=fake.BAD, fine_txt=b"x")
    for _ in range(12):
        data = build(Entry(b"deeper.zip", data))
    assert isinstance(refusal(data), LimitExceeded)


def test_many_members_stop_at_the_limit() -> None:
    data = build(*(Entry(b"%d.txt" % number, b"") for number in range(60)))
    assert isinstance(refusal(data, limits=Limits(parts=50)), LimitExceeded)


def test_a_flat_bomb_stops_at_the_budget() -> None:
    data = build(*(Entry(b"%d.txt" % number, bytes(1 << 20)) for number in range(9)))
    limits = Limits(expansion_floor=4 << 20, expansion_ratio=10)
    assert isinstance(refusal(data, limits=limits), LimitExceeded)


def test_one_body_shared_by_many_members_is_an_overlap() -> None:
    """The zip bomb of Fifield (2019): every central record points at the same local record."""
    kernel = Entry(b"0", bytes(1 << 16))
    others = [Entry(b"%d" % number, bytes(1 << 16), written=False, offset=0) for number in range(1, 99)]
    assert refusal(build(kernel, *others)).code in ("zip.overlap", "zip.header_mismatch")


def test_quoted_local_records_are_an_overlap() -> None:
    """The same bomb with each record quoted as a stored deflate block of the one before."""
    second = local(Entry(b"b", bytes(1 << 16)))
    quoted = bytes([0]) + len(second).to_bytes(2, "little") + (len(second) ^ 0xFFFF).to_bytes(2, "little") + second
    first = Entry(b"a", second + bytes(1 << 16), packed=quoted)
    at = len(local(first)) - len(second)
    assert refusal(build(first, Entry(b"b", bytes(1 << 16), written=False, offset=at))).code == "zip.overlap"


def test_a_self_extractor_is_no_zip() -> None:
    assert refusal(build(Entry(b"a.txt", b"x"), prefix=b"MZ" + bytes(500))).code == "zip.leading_data"


@pytest.mark.parametrize("name", ["x.zip.001", "x.z01", "x.zip"])
def test_a_part_of_a_split_set_is_held_as_such(name: str) -> None:
    data = build(Entry(b"a.txt", bytes(5000), method=0))[:3000]
    data = b"PK\7\x08" + data if name == "x.zip" else data
    caught = refusal(data, name=name)
    assert isinstance(caught, Unsupported)
    assert caught.code == "archive.multi_volume"
