"""The package that is read: its members, what the manifest says of them, and the passwords of those that are locked. ODF 1.3 part 2 §3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.context import Context
from sanitizers.formats.odf import encryption, stretches
from sanitizers.formats.odf.vocabulary import clark
from sanitizers.formats.office.excerpt import Excerpt
from sanitizers.model import Action, LimitExceeded, Malformed
from sanitizers.source import Source

MANIFEST: Final = "META-INF/manifest.xml"
_WHOLE: Final = "encrypted-package"     # LibreOffice 24.8: one locked member that is the package


class Given(Protocol):
    """A document as it came: a zip package or a single XML file."""

    @property
    def media_type(self) -> str: ...
    @property
    def sizes(self) -> Mapping[str, int]:
        """Member → bytes."""
    @property
    def declared(self) -> Mapping[str, str]:
        """Member or folder → media type."""
    @property
    def links(self) -> Sequence[str]:
        """Members that are symbolic links."""
    def read(self, name: str) -> bytes: ...
    def parse(self, name: str) -> xml.Element: ...
    def parse_apart(self, name: str) -> tuple[xml.Element, Excerpt | None]:
        """A member that may be large: its root without what needs no tree, and how that comes back."""


class Package:
    """Raises Malformed for what cannot be a package."""

    def __init__(self, source: Source, context: Context) -> None:
        self._context = context
        self._archive = archive.open_archive(source, most=context.limits.parts)
        self._scanned: set[str] = set()
        self._members = {m.name: m for m in self._archive.members if not m.directory and not m.symlink}
        self._keys = encryption.Keys(context.passwords)
        self._locks: dict[str, encryption.Lock] = {}
        self.links = [m.name for m in self._archive.members if m.symlink]
        self.sizes = {name: member.size for name, member in self._members.items()}
        self.declared: dict[str, str] = {}
        self._read_manifest()
        self.media_type = self._media_type()

    @property
    def is_locked_whole(self) -> bool:
        return _WHOLE in self._locks

    def unlocked(self) -> Package:
        """The package inside. Raises Encrypted."""
        return Package(Source(self.read(_WHOLE)), self._context)

    def read(self, name: str) -> bytes:
        """The member inflated and deciphered; the rules look at it when it is read first."""
        data = self._plain(name)
        if name not in self._scanned:
            self._scanned.add(name)
            self._context.scan_layer(data, name)
        return data

    def _plain(self, name: str) -> bytes:
        if name not in self._members:
            raise Malformed(f"no {name}", code="odf.package")
        data = self._archive.read(self._members[name], self._context.budget)
        if (locked := self._locks.get(name)) is None:
            return data
        if locked.size > self._context.budget.expanded_left:
            raise LimitExceeded(f"member of {locked.size} bytes", where=name)
        plain = self._keys.open(data, locked, name)
        self._context.budget.spend_bytes(len(plain))
        self._context.found("file.decrypted", "", Action.REWRITTEN)
        return plain

    def parse(self, name: str) -> xml.Element:
        return xml.parse(self._read_xml(name), self._context.budget, name)

    def parse_apart(self, name: str) -> tuple[xml.Element, Excerpt | None]:
        return stretches.parse(self._read_xml(name), self._context, name)

    def _read_xml(self, name: str) -> bytes:
        data = self.read(name)
        if not self._context.second_pass:       # then they were counted when they were more
            self._context.budget.spend_cells(data.count(b":table-cell"))
        return data

    def _media_type(self) -> str:
        """Office programs open a package without `mimetype` all the same, by the manifest's entry for the root."""
        if "mimetype" in self._members:
            return self.read("mimetype")[:200].strip().decode("ascii", "replace")
        return self.declared.get("/", "")

    def _read_manifest(self) -> None:
        for entry in self.parse(MANIFEST).iter(clark("manifest:file-entry")):
            path = entry.get(clark("manifest:full-path")) or ""
            if (locked := encryption.lock(entry, path)) is not None:
                self._locks[path] = locked
            media_type = entry.get(clark("manifest:media-type")) or ""
            if self.declared.setdefault(path, media_type) != media_type:
                raise Malformed(f"{path} is listed twice", where=MANIFEST, code="odf.package")


def open_package(source: Source, context: Context) -> Package:
    """Raises Malformed, Encrypted, LimitExceeded."""
    package = Package(source, context)
    return package.unlocked() if package.is_locked_whole else package
