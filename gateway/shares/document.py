"""The document that names the shares (TOML), a table each:

    [zeimu]
    title = "税務課の共有フォルダー"
    folder = "/srv/inner/zeimu"                 # a directory of this machine, or …
    smb = "//files.town.example.jp/zeimu/取込み"  # … a folder of an SMB share, or …
    sftp = "//files.town.example.jp/取込み"       # … a folder of an SFTP server
    user = "sekisho"                            # for SMB and SFTP
    password_file = "zeimu.key"                 # its first line; relative to the document
    key_file = "zeimu.pem"                      # for SFTP instead of a password: a private key without a passphrase
    host_key = "ssh-ed25519 AAAA…"              # for SFTP: the server's public key; no other is spoken to
    port = 445                                  # 22 for SFTP
    receipt = true                              # the signed receipt goes beside each file
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.model import SHARE

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SMB: Final = re.compile(r"//(?P<server>[A-Za-z0-9.:\[\]-]+)/(?P<share>[^/\\]+)(?P<folder>(?:/[^/\\]+)*)/?")

_SFTP: Final = re.compile(r"//(?P<server>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?P<folder>(?:/[^/\\]+)*)/?")
_HOST_KEY: Final = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,}={0,2}(?![^ ])")


class ShareError(ValueError):
    """A bad document. The text names the table and is one line."""


class Smb(msgspec.Struct, frozen=True, kw_only=True):
    """Where on the network. `folder` with `/` between its parts; empty: the top of the share."""

    server: str
    share: str
    folder: str
    user: str
    password: str
    port: int


class Sftp(msgspec.Struct, frozen=True, kw_only=True):
    """Where on an SFTP server. `folder` from the user's home; `key`: a private key (PEM), or a password; `host_key`: kind and base64."""

    server: str
    folder: str
    user: str
    password: str
    key: str
    host_key: str
    port: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One destination: exactly one of `folder`, `smb` and `sftp`."""

    name: str
    title: str
    folder: Path | None = None
    smb: Smb | None = None
    sftp: Sftp | None = None
    receipt: bool = True

    @property
    def address(self) -> str:
        """As it stands among the recipients of a transfer."""
        return SHARE + self.name


class _Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    title: str = ""
    folder: str = ""
    smb: str = ""
    sftp: str = ""
    user: str = ""
    password_file: str = ""
    key_file: str = ""
    host_key: str = ""
    port: int = 0
    receipt: bool = True


def load(file: Path) -> dict[str, Share]:
    """Name → share, in the order of the document. Raises ShareError, OSError."""
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ShareError(f"{file.name}: {error}") from None
    return {name: _share(name, table, file.parent) for name, table in document.items()}


def _share(name: str, table: Mapping[str, Any], folder: Path) -> Share:
    if not _NAME.fullmatch(name):
        raise ShareError(f"[{name}]: not a name of a share (small letters, digits, . _ -)")
    try:
        read = msgspec.convert(table, _Table)
    except msgspec.ValidationError as error:
        raise ShareError(f"[{name}]: {error}") from None
    if sum(map(bool, (read.folder, read.smb, read.sftp))) != 1:
        raise ShareError(f"[{name}]: either folder or smb or sftp")
    if read.folder:
        return Share(name=name, title=read.title or name, folder=folder / read.folder, receipt=read.receipt)
    if read.sftp:
        return Share(name=name, title=read.title or name, sftp=_sftp(name, read, folder), receipt=read.receipt)
    return Share(name=name, title=read.title or name, smb=_smb(name, read, folder), receipt=read.receipt)


def _smb(name: str, read: _Table, folder: Path) -> Smb:
    place = _SMB.fullmatch(read.smb.replace("\\", "/"))
    if place is None:
        raise ShareError(f"[{name}]: smb is //server/share or //server/share/folder")
    if not read.user or not read.password_file:
        raise ShareError(f"[{name}]: smb needs user and password_file")
    return Smb(
        server=place["server"],
        share=place["share"],
        folder=place["folder"].strip("/"),
        user=read.user,
        password=_password(name, read, folder),
        port=read.port or 445,
    )


def _sftp(name: str, read: _Table, folder: Path) -> Sftp:
    place, key = _SFTP.fullmatch(read.sftp), _HOST_KEY.match(read.host_key)
    if place is None:
        raise ShareError(f"[{name}]: sftp is //server or //server/folder")
    if key is None:
        raise ShareError(f"[{name}]: sftp needs host_key, as in known_hosts: ssh-ed25519 AAAA…")
    if not read.user or bool(read.password_file) == bool(read.key_file):
        raise ShareError(f"[{name}]: sftp needs user and either password_file or key_file")
    return Sftp(
        server=place["server"].removeprefix("[").removesuffix("]"),
        folder=place["folder"].strip("/"),
        user=read.user,
        password=_password(name, read, folder) if read.password_file else "",
        key=(folder / read.key_file).read_text("utf-8") if read.key_file else "",
        host_key=key[0],
        port=read.port or 22,
    )


def _password(name: str, read: _Table, folder: Path) -> str:
    lines = (folder / read.password_file).read_text("utf-8").splitlines()
    if not lines or not lines[0]:
        raise ShareError(f"[{name}]: password_file is empty")
    return lines[0]
