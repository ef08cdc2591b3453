"""Update bundles for installations without a way out: rules, lists of digests, ClamAV databases in one signed file.

    SEKISHO-BUNDLE-1 ⏎
    length of the manifest, decimal ⏎
    manifest: compact JSON, keys sorted, UTF-8
    64 octets: Ed25519 signature over everything before it
    the files, in the order of the manifest, nothing between them and nothing behind

Every file stands in the manifest with its size and SHA-256, so the signature covers all of it, and a bundle is read in one pass with
little memory: the signature first, then each file as long as it says. There is one way to write a bundle; what differs from it by one
octet is refused. The paths say what a file is: rules/*.yar, rules/catalog.toml, lists/deny.txt, lists/allow.txt, clamav/*.cvd|cld.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateway.receipts import key_id

SCHEMA: Final = "sekisho.bundle/1"
_MAGIC: Final = b"SEKISHO-BUNDLE-1\n"
_SIGNATURE: Final = 64
_MOST_MANIFEST: Final = 1 << 20
_MOST_FILES: Final = 2_000
_BLOCK: Final = 1 << 20
_MOST_SERIAL: Final = 1 << 53
_PATH: Final = re.compile(
    r"rules/(?:[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.yar|catalog\.toml)|lists/(?:deny|allow)\.txt|clamav/[a-z0-9_-]{1,64}\.c[vl]d"
)
# What a kind of file may weigh, each.
_MOST_BYTES: Final = {"rules": 16 << 20, "lists": 64 << 20, "clamav": 1 << 30}


class BundleError(ValueError):
    """A bundle that is not taken; one line says why."""


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a bundle."""

    path: str
    size: int
    sha256: str

    @property
    def kind(self) -> str:
        """rules, lists or clamav."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.partition("/")[2]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. `serial` only ever grows. `origin`: who made it of what, and who approved that. `key`: which key signed."""

    serial: int
    made_at: str
    key: str
    files: tuple[Item, ...]
    note: str = ""
    origin: dict[str, str] = {}
    schema: str = SCHEMA

    def written(self) -> bytes:
        return msgspec.json.encode(self, order="sorted")


Content = bytes | Path


# -------------------------------------------------------------------------------------------------------------- making


def make(
    target: BinaryIO,
    contents: Mapping[str, Content],
    key: Ed25519PrivateKey,
    *,
    serial: int,
    made_at: str,
    note: str = "",
    origin: Mapping[str, str] | None = None,
) -> Manifest:
    """Write a bundle of path → bytes, or a file to read them from. The same contents make the same octets. Raises BundleError, OSError."""
    items = tuple(_item(path, content) for path, content in sorted(contents.items()))
    manifest = Manifest(serial=serial, made_at=made_at, key=key_id(key.public_key()), files=items, note=note, origin=dict(origin or {}))
    _check(manifest)
    head = _head(manifest.written())
    target.write(head + key.sign(head))
    for item in items:
        digest = hashlib.sha256()
        for block in _read_all(contents[item.path]):
            digest.update(block)
            target.write(block)
        if digest.hexdigest() != item.sha256:
            raise BundleError(f"{item.path}: changed while it was read")
    return manifest


def _item(path: str, content: Content) -> Item:
    digest, size = hashlib.sha256(), 0
    for block in _read_all(content):
        digest.update(block)
        size += len(block)
    return Item(path=path, size=size, sha256=digest.hexdigest())


def _read_all(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _head(manifest: bytes) -> bytes:
    return _MAGIC + b"%d\n" % len(manifest) + manifest


# ------------------------------------------------------------------------------------------------------------- reading


class Reader:
    """One pass over an untrusted bundle: who signed it is known before any file of it is looked at."""

    def __init__(self, stream: BinaryIO, key: Ed25519PublicKey) -> None:
        """Reads and checks the manifest. Raises BundleError."""
        self._stream = stream
        self._read = hashlib.sha256()
        if self._take(len(_MAGIC)) != _MAGIC:
            raise BundleError("not an update bundle")
        length = self._length()
        untrusted = self._take(length)
        signature = self._take(_SIGNATURE)
        try:
            key.verify(signature, _head(untrusted))
        except InvalidSignature:
            raise BundleError("the signature is not of this installation's key") from None
        try:
            self.manifest = msgspec.json.decode(untrusted, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BundleError(f"the manifest cannot be read: {error}") from None
        if self.manifest.written() != untrusted:
            raise BundleError("the manifest is not written as manifests are")
        _check(self.manifest)

    def files(self) -> Iterator[tuple[Item, Iterator[bytes]]]:
        """Each file with its blocks, which have to be taken to their end. Raises BundleError when one is not what the manifest says:
        nothing of it may be used before this has come to its end."""
        for item in self.manifest.files:
            yield item, self._blocks(item)
        if self._stream.read(1):
            raise BundleError("something stands behind the last file")

    @property
    def sha256(self) -> str:
        """Of all that was read."""
        return self._read.hexdigest()

    def _blocks(self, item: Item) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), item.size
        while left:
            block = self._take(min(left, _BLOCK))
            digest.update(block)
            left -= len(block)
            yield block
        if digest.hexdigest() != item.sha256:
            raise BundleError(f"{item.path}: not the file that was signed")

    def _length(self) -> int:
        digits = b""
        while (one := self._take(1)) != b"\n":
            digits += one
            if not digits.isdigit() or len(digits) > 7:
                raise BundleError("not an update bundle")
        if not digits or digits.startswith(b"0") or int(digits) > _MOST_MANIFEST:
            raise BundleError("not an update bundle")
        return int(digits)

    def _take(self, size: int) -> bytes:
        content = self._stream.read(size)
        if len(content) != size:
            raise BundleError("the bundle is cut off")
        self._read.update(content)
        return content


def _check(manifest: Manifest) -> None:
    if manifest.schema != SCHEMA or not 0 < manifest.serial < _MOST_SERIAL or not 0 < len(manifest.files) <= _MOST_FILES:
        raise BundleError("the manifest says what no manifest may say")
    paths = [item.path for item in manifest.files]
    if paths != sorted(set(paths)):
        raise BundleError("the files are not in order")
    for item in manifest.files:
        if not _PATH.fullmatch(item.path):
            raise BundleError(f"{item.path[:100]!r}: no bundle may hold this")
        if not 0 <= item.size <= _MOST_BYTES[item.kind]:
            raise BundleError(f"{item.path}: {item.size} bytes are too many")


def checked(stream: BinaryIO, key: Ed25519PublicKey) -> Reader:
    """A bundle read to its end and found whole; what it holds has to be read again. Raises BundleError."""
    reader = Reader(stream, key)
    for _, blocks in reader.files():
        for _ in blocks:
            pass
    return reader


# ------------------------------------------------------------------------------------------------------- files and keys


def contents_of(rules: Mapping[str, str], lists: Mapping[str, Path], clamav: Iterable[Path]) -> dict[str, Content]:
    """What `make` takes, from where it lies."""
    contents: dict[str, Content] = {f"rules/{name}": text.encode() for name, text in rules.items()}
    contents |= {f"lists/{name}": path for name, path in lists.items()}
    return contents | {f"clamav/{path.name}": path for path in clamav}


def private_key(path: Path) -> Ed25519PrivateKey:
    """Raises OSError, BundleError."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BundleError(f"{path.name}: cannot be read as a private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{path.name}: not an Ed25519 key")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Raises OSError, BundleError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise BundleError(f"{path.name}: cannot be read as a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f"{path.name}: not an Ed25519 key")
    return key


FORMER: Final = ".former"


def beside(folder: Path, name: str) -> Path:
    """Where a file is written before `take_place` puts it in its place."""
    return folder / f".{name}.new"


def write_whole(unfinished: Path, blocks: Iterable[bytes]) -> None:
    """Flushed; for others to read."""
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    with unfinished.open("wb") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    unfinished.chmod(0o644)


def take_place(unfinished: Path, place: Path) -> None:
    """The new file in its place; the one before is kept as `.former`."""
    if place.exists():
        former = place.with_name(place.name + FORMER)
        former.unlink(missing_ok=True)
        os.link(place, former)
    unfinished.replace(place)


def former_back(folder: Path) -> list[str]:
    """Every `.former` in its place again; their names."""
    back = []
    for former in sorted(folder.glob(f"*{FORMER}")):
        place = former.with_name(former.name.removesuffix(FORMER))
        former.replace(place)
        back.append(place.name)
    return back
