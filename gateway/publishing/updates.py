"""An update bundle taken in, and taken back: rules become a draft, lists come in force at once, ClamAV's databases take their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.publishing import bundle
from gateway.publishing.bundle import BundleError, Item, Manifest, Reader
from gateway.publishing.versions import NotNowError, Publishing, Subject, Version, lists_of
from gateway.storage import bundles as rows
from gateway.storage.journal import Journal

_NOTE: Final = "更新ファイル / bundle {}"


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a bundle. `rules`: the draft, None if there are none or they are in force already; `databases`: names of files."""

    serial: int
    rules: Version | None
    lists: Version | None
    databases: tuple[str, ...]
    left_out: tuple[str, ...]


class Updates:
    """`key`: of those whose bundles are taken. `clamav`: folder of the databases; None: they are left out."""

    def __init__(
        self, journal: Journal, publishing: Publishing, key: Ed25519PublicKey, clock: Callable[[], float], clamav: Path | None = None
    ) -> None:
        self._journal = journal
        self._publishing = publishing
        self._key = key
        self._clock = clock
        self._clamav = clamav

    async def take(self, stream: BinaryIO, *, actor: str) -> Taken:
        """`stream`: seekable. Nothing of it is used before all of it was checked. Raises BundleError, NotNowError, ValueError for rules
        that do not compile, OSError."""
        known = bundle.checked(stream, self._key)
        await self._journal.ask(lambda connection: rows.check_newer(connection, known.manifest.serial))
        stream.seek(0)
        unfinished: list[tuple[Path, Path]] = []
        note = _NOTE.format(known.manifest.serial)
        try:
            texts = self._unpacked(Reader(stream, self._key), known.manifest, unfinished)
            lists = texts["lists"]
            lists_of(lists)
            rules = await self._rules(texts["rules"], actor, note)
            in_force = await self._publishing.put_in_force(Subject.LISTS, lists, actor=actor, reason=note) if lists else None
            for new, place in unfinished:
                bundle.take_place(new, place)
        finally:
            for new, _ in unfinished:
                new.unlink(missing_ok=True)
        left_out = () if self._clamav else tuple(item.path for item in known.manifest.files if item.kind == "clamav")
        await self._record(known, actor, {"origin": known.manifest.origin, "left_out": list(left_out)})
        names = tuple(place.name for _, place in unfinished)
        return Taken(serial=known.manifest.serial, rules=rules, lists=in_force, databases=names, left_out=left_out)

    async def _rules(self, files: dict[str, str], actor: str, note: str) -> Version | None:
        if not files:
            return None
        try:
            return await self._publishing.draft(Subject.RULES, files, actor=actor, note=note)
        except NotNowError:
            return None                 # they are in force already

    async def _record(self, read: Reader, actor: str, detail: dict[str, object]) -> None:
        at, serial, key = self._clock(), read.manifest.serial, read.manifest.key
        await self._journal.write(
            lambda connection: rows.taken(connection, serial, sha256=read.sha256, key_id=key, at=at, actor=actor, detail=detail)
        )

    def _unpacked(self, reader: Reader, expected: Manifest, unfinished: list[tuple[Path, Path]]) -> dict[str, dict[str, str]]:
        """Texts of rules and lists; databases beside their places, added to `unfinished`. Raises BundleError."""
        if reader.manifest != expected:
            raise BundleError("the bundle changed while it was read")
        texts: dict[str, dict[str, str]] = {"rules": {}, "lists": {}}
        for item, blocks in reader.files():
            if item.kind in texts:
                texts[item.kind][item.name] = _text(item, blocks)
            elif self._clamav is not None:
                unfinished.append((bundle.beside(self._clamav, item.name), self._clamav / item.name))
                bundle.write_whole(unfinished[-1][0], blocks)
            else:
                for _ in blocks:
                    pass
        return texts

    async def take_back(self, *, actor: str, reason: str) -> list[str]:
        """What the last bundle brought: what is in force of it gives way to what was before, an open draft of it is withdrawn.
        Its serial stays the last. What was done, one line each. Raises NotNowError when there is nothing to take back."""
        serial = await self._journal.ask(rows.last_serial)
        note, done = _NOTE.format(serial), []
        for subject in (Subject.RULES, Subject.LISTS):
            standing = await self._publishing.in_force(subject)
            if standing is not None and standing.note == note:
                former = await self._former(subject, actor, reason)
                done.append(f"{subject}: {standing.id} → {former.id if former else '-'}")
            for version in await self._publishing.listed(subject, 20):
                if version.open and version.note == note:
                    await self._publishing.withdraw(version.id, actor=actor, reason=reason)
                    done.append(f"{subject}: {version.id} withdrawn")
        if self._clamav is not None:
            done += [f"clamav: {name}" for name in bundle.former_back(self._clamav)]
        if not done:
            raise NotNowError("戻すものがありません / nothing of the last bundle is there to be taken back")
        await self._journal.record(
            at=self._clock(), actor=actor, action="bundle.rollback", subject=f"bundle-{serial}", detail={"reason": reason, "done": done}
        )
        return done

    async def _former(self, subject: Subject, actor: str, reason: str) -> Version | None:
        try:
            return await self._publishing.rollback(subject, actor=actor, reason=reason)
        except NotNowError:
            if subject is not Subject.LISTS:
                raise
            # The first lists there ever were: before them there were none.
            return await self._publishing.put_in_force(subject, {}, actor=actor, reason=reason)


def _text(item: Item, blocks: Iterator[bytes]) -> str:
    try:
        return b"".join(blocks).decode("utf-8")
    except UnicodeDecodeError:
        raise BundleError(f"{item.path}: not UTF-8") from None
