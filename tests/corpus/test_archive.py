"""Real archives, pages, texts and books: each that is not delivered has its right reason, and every zip is one to all its readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build.readers import agreed
from tests.corpus.conftest import Run, delivered

pytestmark = pytest.mark.corpus
FOLDERS = ("archive", "html", "text", "epub")

# Name of the file: (verdict, reason, the finding that says why). All others are delivered.
NOT_DELIVERED = {
    "etc_passwd.zip": ("held", "malformed", "zip.link"),                        # nothing in it but a link
    "COMPRESS-178-fail.tar": ("held", "malformed", "tar.header"),
    "COMPRESS-227.zip": ("held", "malformed", "zip.leading_data"),              # a name twice, and only one of the two in the directory
    "bla.ar": ("held", "malformed", "file.malformed"),                          # XML with the marks of an unfinished merge in it
    "bla.tgz": ("held", "malformed", "file.malformed"),
    "bla.tar.Z": ("held", "malformed", "file.malformed"),
    "bla.arj": ("held", "unsupported_kind", "file.unsupported_kind"),
    "numCyclesPower30.bin": ("held", "encrypted", "file.encrypted"),            # 2^30 rounds: with a password `limit_exceeded`
    "oldgnu_sparse.tar": ("held", "unsupported_kind", "tar.sparse"),
    "test.iso": ("blocked", "forbidden_kind", "file.forbidden_kind"),
    "dde-in-word2003.xml.zip": ("held", "encrypted", "file.encrypted"),
    "dde-test-from-office2003.doc.zip": ("held", "encrypted", "file.encrypted"),
    "archive.7z.001": ("held", "unsupported_kind", "archive.multi_volume"),
    "archive.7z.002": ("held", "unsupported_kind", "archive.multi_volume"),
    "filename_encryption.7z": ("held", "encrypted", "file.encrypted"),
    "rar3-comment-psw.rar": ("held", "encrypted", "file.encrypted"),
    "rar5-psw.rar": ("held", "encrypted", "file.encrypted"),
    "extra_field_length_exceeds_extra_field_buffer_size.zip": ("held", "malformed", "zip.extra_field"),
    "file_data_overflows_file_bounds_63_2147483647_308.zip": ("held", "malformed", "zip.header_mismatch"),
    "eicar.txt": ("blocked", "malware", "file.malware"),
    "excel4_sample_macro.slk": ("blocked", "forbidden_kind", "file.forbidden_kind"),
    "test.epub": ("held", "unsupported_kind", "file.unsupported_kind"),
}
# What each delivered attack must at least have lost.
LOST = {
    "rar5-evil-symlink-traversal.rar": "archive.link", "zip-slip-win.tar": "archive.path_traversal", "zip-slip-win.zip": "zip.path_traversal",
    "zip-slip.tar": "archive.path_traversal", "zip-slip.zip": "zip.path_traversal", "iframe.html": "html.active_element",
    "xss.htm": "html.script", "test_serp.html": "html.active_link", "dde-in-csv.csv": "csv.formula",
}  # fmt: skip


def rows(run: Run) -> Iterator[dict[str, Any]]:
    for row in run.reports:
        if Path(row["path"]).parts[0] in FOLDERS:
            yield row


def codes(row: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in row["findings"]]


def test_what_is_not_delivered_has_the_right_reason(corpus_run: Run) -> None:
    refused = [row for row in rows(corpus_run) if row["output"] is None]
    assert {Path(row["path"]).name: (row["verdict"], row["reason"], codes(row)[-1]) for row in refused} == NOT_DELIVERED


def test_what_is_delivered_lost_what_made_it_an_attack(corpus_run: Run) -> None:
    found = {Path(row["path"]).name: row for row in rows(corpus_run)}
    for name, code in LOST.items():
        assert found[name]["verdict"] == "sanitized", name
        assert code in codes(found[name]), name


def test_every_zip_is_one_to_all_its_readers(corpus_run: Run, tmp_path: Path) -> None:
    zips = delivered(corpus_run, "zip")
    assert len(zips) > 12
    for number, path in enumerate(zips):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert agreed(path.read_bytes(), folder), path
