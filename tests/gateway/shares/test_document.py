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
    (tmp_path / "empty.key").write_text("\n", "utf-8")
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
        ("[a]\nsmb = '//b/c'\nuser='u'\npassword_file='empty.key'", "password_file is empty"),
        ("[a]\nsftp = '//b/c'\nsmb = '//b/c'", "either folder or smb or sftp"),
        ("[a]\nsftp = 'b/c'\nuser='u'\npassword_file='soumu.key'", "//server"),
        ("[a]\nsftp = '//b/c'\nuser='u'\npassword_file='soumu.key'", "host_key"),
        ("[a]\nsftp = '//b/c'\nuser='u'\npassword_file='soumu.key'\nhost_key='ssh-dss AAAAB3NzaC1kc3MAAACBAAAAB3NzaC1kc3MAAACBAAAAB3NzaC1kc3M'", "host_key"),
        ("[a]\nsftp = '//b/c'\nuser='u'\nhost_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAC3NzaC1lZDI1NTE5AAAAI'", "either password_file or key_file"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ShareError, match=why):
        load(written(tmp_path, text))


def test_a_folder_of_an_sftp_server(tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAC3NzaC1lZDI1NTE5AAAAI"
    text = f"[kakari]\nsftp = '//files.town.example.jp/取込み/今年'\nuser = 'sekisho'\nkey_file = 'soumu.key'\nhost_key = '{key} comment'\n"
    place = load(written(tmp_path, text))["kakari"].sftp
    assert place is not None
    assert (place.server, place.port, place.folder, place.user) == ("files.town.example.jp", 22, "取込み/今年", "sekisho")
    assert (place.password, place.key, place.host_key) == ("", "ひみつ\n", key)
