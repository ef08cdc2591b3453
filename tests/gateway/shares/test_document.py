"""The document of the shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.shares.document import ShareError, load

GOOD = """
[zeimu]
title = "税務課"
folder = "inner/zeimu"
[soumu]
smb = '\\\\files.town.example.jp\\soumu\\取込み\\今年'
user = "sekisho"
password_file = "soumu.key"
receipt = false
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "soumu.key").write_text("ひみつ\n", "utf-8")
    file = tmp_path / "shares.toml"
    file.write_text(text, "utf-8")
    return file


def test_both_kinds(tmp_path: Path) -> None:
    shares = load(written(tmp_path, GOOD))
    zeimu, soumu = shares["zeimu"], shares["soumu"]
    assert (zeimu.address, zeimu.title, zeimu.folder, zeimu.receipt) == ("share:zeimu", "税務課", tmp_path / "inner/zeimu", True)
    assert soumu.smb is not None
    assert (soumu.smb.server, soumu.smb.share, soumu.smb.folder) == ("files.town.example.jp", "soumu", "取込み/今年")
    assert (soumu.smb.password, soumu.smb.port, soumu.title, soumu.receipt) == ("ひみつ", 445, "soumu", False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[Zeimu]\nfolder = 'a'", "not a name"),
        ("[a]\nfolder = 'a'\nsmb = '//b/c'", "either folder or smb"),
        ("[a]", "either folder or smb"),
        ("[a]\nfolder = 'a'\ncolour = 'red'", "colour"),
        ("[a]\nfolder = 7", "folder"),
        ("[a]\nsmb = '//b'\nuser='u'\npassword_file='soumu.key'", "//server/share"),
        ("[a]\nsmb = '//b/c'\nuser='u'", "password_file"),
        ("[a", "shares.toml"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ShareError, match=why):
        load(written(tmp_path, text))
