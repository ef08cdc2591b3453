"""`sekisho sanitize` on one locked file of each kind: held without its password, and delivered in the clear with it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.build import locked
from tests.gateway.commands.conftest import Installation

PASSWORD = "ひみつ-1234"


def test_every_locked_kind_is_held_and_opens_with_its_password(sekisho: Installation, tmp_path: Path) -> None:
    folder, words = tmp_path / "in", tmp_path / "words"
    folder.mkdir()
    words.write_text(f"wrong\n{PASSWORD}\n", "utf-8")
    for name, build in locked.KINDS.items():
        (folder / name).write_bytes(build(PASSWORD))
    for given, status in (((), 3), (("--password-file", words), 0)):
        out, report = tmp_path / f"out{status}", tmp_path / f"report{status}"
        done = sekisho("sanitize", folder, "-o", out, "--report", report, *given)
        assert done.status == status, report.read_text("utf-8")
        rows = {row["input"]["name"]: row for row in map(json.loads, report.read_text("utf-8").splitlines())}
        assert set(rows) == set(locked.KINDS)
        for name, row in rows.items():
            assert (row["verdict"], row["reason"]) == (("sanitized", None) if given else ("held", "encrypted")), (name, row)
            assert PASSWORD not in json.dumps(row, ensure_ascii=False)
        assert len([path for path in out.rglob("*") if path.is_file()]) == (len(rows) if given else 0)
