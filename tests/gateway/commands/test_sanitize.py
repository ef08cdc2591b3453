"""`sekisho sanitize` and `inspect`: what is written where, what is reported, and the exit status."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from gateway.commands import sanitize
from gateway.road import memory
from gateway.road.workers import Sanitized
from sanitizers.model import Job, Kind, PartInfo, Reason, Report, Verdict
from tests.build.transfer import digest, info, report
from tests.gateway.commands.conftest import Installation, Ran

OUTPUT = {".docm": Kind.DOCX, ".docx": Kind.DOCX, ".doc": Kind.DOCX, ".lzh": Kind.ZIP}


class Fake:
    """Workers whose verdict stands in the file: `hold`, `block`, `lock PASSWORD`, or anything else for a delivery of REBUILT + it."""

    rules_version = "rules-1"
    jobs: ClassVar[list[Job]] = []

    def __init__(self, *_: object, **__: object) -> None:
        Fake.jobs = []

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def sanitize(self, source_fd: int, job: Job) -> Sanitized:
        Fake.jobs.append(job)
        content = os.pread(source_fd, 1 << 20, 0)
        word, _, rest = content.decode("utf-8", "replace").partition(" ")
        kind = OUTPUT.get(Path(job.name).suffix.lower(), Kind.TEXT)
        if word == "block":
            return Sanitized(self._report(job, content, Verdict.BLOCKED, Reason.MALWARE), None)
        if word == "hold" or (word == "lock" and rest not in job.passwords):
            return Sanitized(self._report(job, content, Verdict.HELD, Reason.ENCRYPTED), None)
        rebuilt = b"REBUILT " + content
        fd = memory.create("output")
        os.write(fd, rebuilt)
        return Sanitized(self._report(job, content, Verdict.CLEAN, None, info(rebuilt, job.name, kind)), fd)

    def _report(self, job: Job, content: bytes, verdict: Verdict, reason: Reason | None, output: PartInfo | None = None) -> Report:
        made = report(verdict, reason, source=content, output=b"" if output else None, policy=job.policy)
        return msgspec.structs.replace(made, input=info(content, job.name), output=output)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    monkeypatch.setattr(sanitize, "Workers", Fake)
    return Fake


def tree(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reported(ran: Ran) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert len({row["path"] for row in rows}) == len(rows)
    assert all(row["schema"] == "sekisho.report/1" for row in rows)
    return {row["path"]: row for row in rows}


def test_a_folder_is_walked_and_keeps_its_shape(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_txt="a", sub__b_docm="b", sub__deep__c_lzh="c", sub__d_TXT="d")
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-")
    assert ran.status == 0
    assert written(tmp_path / "out") == {
        "a.txt": b"REBUILT a", "sub/b.docx": b"REBUILT b", "sub/deep/c.zip": b"REBUILT c", "sub/d.TXT": b"REBUILT d",
    }  # fmt: skip
    rows = reported(ran)
    assert set(rows) == {"a.txt", "sub/b.docm", "sub/deep/c.lzh", "sub/d.TXT"}
    row = rows["sub/b.docm"]
    assert (row["output"]["name"], row["output"]["path"], row["output"]["sha256"]) == ("b.docx", "sub/b.docx", digest(b"REBUILT b"))
    assert stat.S_IMODE((tmp_path / "out/a.txt").stat().st_mode) & 0o133 == 0


def test_nothing_is_written_for_what_is_not_delivered(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", good_txt="x", held_txt="hold")
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-", "--jobs", "3")
    assert ran.status == 3
    assert set(written(tmp_path / "out")) == {"good.txt"}
    assert (reported(ran)["held.txt"]["output"], reported(ran)["held.txt"]["reason"]) == (None, "encrypted")
    tree(source, bad_txt="block")
    ran = sekisho("sanitize", source, "-o", tmp_path / "out2", "--report", tmp_path / "report.jsonl")
    assert ran.status == 4
    assert set(written(tmp_path / "out2")) == {"good.txt"}
    lines = (tmp_path / "report.jsonl").read_text("utf-8").splitlines()
    assert sorted(json.loads(line)["verdict"] for line in lines) == ["blocked", "clean", "held"]
    assert "blocked" in ran.out
    assert sekisho("sanitize", source / "bad.txt", source / "held.txt", "-o", tmp_path / "out3").status == 4
    assert not (tmp_path / "out3").exists()


def test_policy_has_the_last_word(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_docx="x")
    policy = tmp_path / "policy.toml"
    policy.write_text('[kinds]\neml = "hold"\n', "utf-8")
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-", "--policy", policy)
    assert ran.status == 3, "the fake says that every input is an eml"
    assert written(tmp_path / "out") == {}
    assert reported(ran)["a.docx"]["output"] is None
    policy.write_text("[kinds]\neml = 'perhaps'\n", "utf-8")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--policy", policy).failed(2, "eml")


def test_names_that_collide(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_docx="own", a_docm="macro", a_doc="old")
    (source / "a.docm.docx").write_text("third")
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-", "--jobs", "1")
    out = written(tmp_path / "out")
    assert out["a.docx"] == b"REBUILT own"
    assert out["a.docm.docx"] == b"REBUILT third"
    assert sorted(out.values()) == [b"REBUILT macro", b"REBUILT old", b"REBUILT own", b"REBUILT third"]
    for row in reported(ran).values():
        assert digest(out[row["output"]["path"]]) == row["output"]["sha256"]


def test_inputs_that_cannot_be(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_txt="a", sub__a_txt="b")
    same = tree(tmp_path / "other", a_txt="c")
    sekisho("sanitize", source, same, "-o", tmp_path / "out").failed(2, "a.txt")
    sekisho("sanitize", source / "a.txt", source / "a.txt", "-o", tmp_path / "out").failed(2, "a.txt")
    sekisho("sanitize", source, "-o", source / "out").failed(2, "inside")
    sekisho("sanitize", source, "-o", source).failed(2)
    sekisho("sanitize", source / "a.txt", "-o", source).failed(2, "beside")
    (tmp_path / "link").symlink_to(source)
    sekisho("sanitize", source, "-o", tmp_path / "link").failed(2)
    sekisho("sanitize", source, "-o", tmp_path / "out", "--jobs", "0").failed(2, "--jobs")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--rules", tmp_path).failed(2, "yar")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--report", tmp_path / "none" / "r").failed(2, "none")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--password-file", tmp_path / "none").failed(2, "none")
    assert written(source) == {"a.txt": b"a", "sub/a.txt": b"b"}
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_read_gets_its_line(sekisho: Installation, fake: type[Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tree(tmp_path / "in", a_txt="a")
    os.mkfifo(source / "pipe")
    (source / "gone").symlink_to(tmp_path / "nowhere")
    (source / "closed").mkdir()
    (source / os.fsdecode(b"\xff.txt")).write_text("odd name")
    real = os.scandir

    def scandir(path: Any) -> Any:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-")
    rows = reported(ran)
    assert ran.status == 3
    assert {path: row["verdict"] for path, row in rows.items()} == {
        "a.txt": "clean", "pipe": "held", "gone": "held", "closed": "held", "\ufffd.txt": "clean",
    }  # fmt: skip
    assert {rows[path]["reason"] for path in ("pipe", "gone", "closed")} == {"malformed"}
    assert (tmp_path / "out" / os.fsdecode(b"\xff.txt")).exists()


def test_a_link_at_the_target_is_not_followed(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source, out = tree(tmp_path / "in", a_txt="a"), tmp_path / "out"
    out.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (out / "a.txt").symlink_to(precious)
    assert sekisho("sanitize", source, "-o", out).status == 0
    assert precious.read_text() == "precious"
    assert not (out / "a.txt").is_symlink()
    assert written(out) == {"a.txt": b"REBUILT a"}


def test_an_output_that_cannot_be_written_is_a_failure(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source, out = tree(tmp_path / "in", a_txt="a"), tmp_path / "out"
    (out / "a.txt").mkdir(parents=True)
    sekisho("sanitize", source, "-o", out, "--report", tmp_path / "r").failed(1, "a.txt")
    assert written(out) == {}, "no half of a file stays"


def test_passwords(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_txt="lock ひみつ 2")
    file = tmp_path / "passwords"
    file.write_text("\ufeffone\r\n\r\nひみつ 2\r\n", "utf-8")
    assert sekisho("sanitize", source, "-o", tmp_path / "out").status == 3
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--password-file", file)
    assert ran.status == 0
    assert fake.jobs[0].passwords == ("one", "ひみつ 2")
    assert "ひみつ" not in ran.out + ran.err
    file.write_bytes(b"\xff\xfe")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--password-file", file).failed(2)
    file.write_text("x\n" * 1001, "utf-8")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--password-file", file).failed(2, "1000")


def test_inspect_reports_and_writes_nothing(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_docm="a", b_txt="hold")
    before = written(tmp_path)
    ran = sekisho("inspect", source)
    assert ran.status == 3
    assert {path: row["verdict"] for path, row in reported(ran).items()} == {"a.docm": "clean", "b.txt": "held"}
    assert written(tmp_path) == before


LAYERED = """
[kinds]
txt = "hold"
[organisations."A町".departments."建設課"]
treatment = {comments_kept = false}
kinds = {text = "hold"}
[groups.legal]
members = ["houmu@a.example.jp"]
treatment = {pdf_links_removed = true}
""".replace('[kinds]\ntxt = "hold"\n', "")


def test_what_if(sekisho: Installation, fake: type[Fake], tmp_path: Path) -> None:
    """A draft of a policy, for whom it says something and for whom it does not."""
    source, draft = tree(tmp_path / "in", a_txt="a"), tmp_path / "draft.toml"
    draft.write_text(LAYERED, "utf-8")
    assert sekisho("inspect", source, "--policy", draft).status == 0
    assert fake.jobs[0].treatment.comments_kept
    there = sekisho("inspect", source, "--policy", draft, "--organisation", "A町", "--department", "建設課", "--layers")
    assert (there.status, there.rows[0]["reason"]) == (3, "policy")
    assert not fake.jobs[0].treatment.comments_kept
    assert "organisations.A町.departments.建設課  kinds.text = hold" in there.err
    assert sekisho("sanitize", source, "--policy", draft, "--for", "houmu@a.example.jp", "-o", tmp_path / "out").status == 0
    assert fake.jobs[0].treatment.pdf_links_removed
    versions = {row["policy"] for words in ((), ("--for", "houmu@a.example.jp")) for row in sekisho("inspect", source, "--policy", draft, *words).rows}
    assert len(versions) == 1, "one document, one version"
    sekisho("inspect", source, "--policy", draft, "--door", "window").failed(2, "--door")


def test_the_real_engine_in_the_real_jail(sekisho: Installation, tmp_path: Path) -> None:
    source = tree(tmp_path / "in", a_txt="ただの文章です。\n")
    (source / "b.exe").write_bytes(b"MZ" + bytes(200))
    ran = sekisho("sanitize", source, "-o", tmp_path / "out", "--report", "-", "--jobs", "1")
    rows = reported(ran)
    assert rows["a.txt"]["verdict"] == "clean"
    assert rows["a.txt"]["output"]["sha256"] == digest((tmp_path / "out/a.txt").read_bytes())
    assert rows["b.exe"]["verdict"] != "clean"
    assert ran.status in (3, 4)
    assert set(written(tmp_path / "out")) == {"a.txt"}
    bad = tmp_path / "rules"
    bad.mkdir()
    (bad / "bad.yar").write_text("rule Bad { condition: nonsense }")
    sekisho("sanitize", source, "-o", tmp_path / "out", "--rules", bad).failed(2, "bad.yar")
