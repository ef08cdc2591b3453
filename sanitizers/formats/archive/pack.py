"""One policy for the members of every archive: each goes round the engine and comes back clean, or stays out."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple, Protocol

from sanitizers import names
from sanitizers.context import Context, Outcome
from sanitizers.formats.archive import notice
from sanitizers.model import (
    EXTENSIONS,
    Action,
    Encrypted,
    Forbidden,
    LimitExceeded,
    Malformed,
    Malware,
    PartInfo,
    PolicyRefused,
    Reason,
    Refused,
    Report,
    Unsupported,
    VerificationFailed,
)
from sanitizers.source import Source

# From worst to mildest: what an archive is refused for when none of its members can be delivered.
_WORST_FIRST: Final[dict[Reason, type[Refused]]] = {
    Reason.MALWARE: Malware,
    Reason.FORBIDDEN_KIND: Forbidden,
    Reason.VERIFICATION_FAILED: VerificationFailed,
    Reason.LIMIT_EXCEEDED: LimitExceeded,
    Reason.MALFORMED: Malformed,
    Reason.POLICY: PolicyRefused,
    Reason.ENCRYPTED: Encrypted,
    Reason.UNSUPPORTED_KIND: Unsupported,
}
_RANK: Final = {reason: rank for rank, reason in enumerate(_WORST_FIRST)}

_DELIVERABLE: Final = frozenset({"", *(ending for endings in EXTENSIONS.values() for ending in endings)})


class What(Enum):
    """What a member is in its archive's file system."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "link or special file"


class Entry(NamedTuple):
    """One member as a reader found it; `read` is called at most once, and only for files."""

    name: str
    what: What
    read: Callable[[], Source]
    guessed: bool = False     # nothing tells the name's encoding


class Writer(Protocol):
    """Where clean members go. A name that ends with "/" is an empty folder."""

    def add(self, name: str, data: bytes | Source) -> None: ...

    def source(self) -> Source: ...


class _Dropped(NamedTuple):
    member: str
    reason: Reason
    code: str
    detail: str
    part: PartInfo | None


def refusal_of(report: Report, where: str) -> Refused:
    """What a container is refused for when its only content is not delivered."""
    return _refusal(report.reason or Reason.POLICY)("its content cannot be delivered", where=where)


def _refusal(reason: Reason) -> type[Refused]:
    return _WORST_FIRST.get(reason, PolicyRefused)


class Pack:
    """Takes the members of one archive in order, hands the clean ones to a writer, and accounts for all of them.

    `family` is the first word of its finding codes: `zip` or `archive`.
    """

    def __init__(self, context: Context, writer: Writer, family: str) -> None:
        self._context = context
        self._writer = writer
        self._family = family
        self._taken: dict[str, int] = {}
        self._folders: dict[str, str] = {}
        self._parents: set[str] = set()
        self.delivered: set[str] = set()      # the names of the members, as their entries gave them
        self._dropped: list[_Dropped] = []
        # (code, where, detail): told only once it is certain that the archive is delivered
        self._rewritten: list[tuple[str, str, str]] = []

    def take(self, entry: Entry) -> None:
        """One member. Raises what `entry.read` raises, and LimitExceeded for the whole transfer."""
        made = names.safe_path(entry.name)
        if entry.what is What.FOLDER and not made.path and not made.climbs:     # "./", the folder that all is in
            return
        shown = made.path or names.safe(entry.name)
        if made.climbs or not made.path:
            self._drop(shown, Reason.MALFORMED, f"{self._family}.path_traversal", repr(entry.name))
        elif entry.what is What.OTHER:
            self._drop(shown, Reason.MALFORMED, f"{self._family}.link", "")
        else:
            self._note_name(entry, made)
            if entry.what is What.FOLDER:
                self._folders[names.key(made.path)] = made.path
            else:
                self._embed(made.path, entry)

    def rewritten(self, code: str, where: str = "", detail: str = "") -> None:
        """Something of the container that the new one does not have."""
        self._rewritten.append((code, where, detail))

    def finish(self) -> Source:
        """The new archive. Raises the worst member's refusal if none is delivered, PolicyRefused if one bad member holds all."""
        if self._dropped and (not self.delivered or self._context.treatment.bad_member_holds_archive):
            self._refuse()
        for code, where, detail in self._rewritten:
            self._context.found(code, where, Action.REWRITTEN, detail)
        for gone in self._dropped:
            self._context.found(gone.code, gone.member, Action.REMOVED, gone.detail)
        for folder, path in self._folders.items():
            if folder not in self._parents and folder not in self._taken:
                self._writer.add(f"{path}/", b"")
        return self._writer.source()

    def _note_name(self, entry: Entry, made: names.Path) -> None:
        if entry.guessed:
            self.rewritten(f"{self._family}.name_guessed", made.path, repr(entry.name))
        if made.why in ("absolute path", "network path", "drive"):
            self.rewritten(f"{self._family}.path_traversal", made.path, f"{made.why}: {entry.name!r}")
        elif made.why:
            self.rewritten("file.unsafe_name", made.path, repr(entry.name))

    def _embed(self, path: str, entry: Entry) -> None:
        content = entry.read()
        if not len(content) and names.extension(path) in _DELIVERABLE:   # nothing in it to rebuild, and its name is harmless
            self._put(path, content)
            self.delivered.add(entry.name)
            return
        outcome = self._context.embed(path.rpartition("/")[2], content, path)
        if outcome.content is None or outcome.report.output is None:
            self._drop_part(path, outcome)
            return
        folder, slash, last = path.rpartition("/")
        wanted = f"{folder}{slash}{names.with_extension(last, outcome.report.output.kind)}"
        self._put(wanted, outcome.content)
        self.delivered.add(entry.name)

    def _put(self, wanted: str, data: bytes | Source) -> None:
        path = names.numbered(wanted, self._taken)
        if path != wanted:
            self.rewritten(f"{self._family}.renamed", path, wanted)
        parent = names.key(path).rpartition("/")[0]
        while parent and parent not in self._parents:
            self._parents.add(parent)
            parent = parent.rpartition("/")[0]
        self._writer.add(path, data)

    def _drop_part(self, path: str, outcome: Outcome) -> None:
        report = outcome.report
        reason = report.reason or Reason.POLICY
        self._drop(path, reason, f"{self._family}.member_dropped", reason.value, report.input)

    def _drop(self, member: str, reason: Reason, code: str, detail: str, part: PartInfo | None = None) -> None:
        self._dropped.append(_Dropped(member, reason, code, detail, part))
        treatment = self._context.treatment
        self._put(notice.name(member, treatment), notice.text(member, reason, part, treatment))

    def _refuse(self) -> None:
        for gone in self._dropped:
            self._context.found(gone.code, gone.member, Action.REFUSED, gone.detail)
        if self.delivered:
            raise PolicyRefused(f"{len(self._dropped)} members cannot be delivered", where=self._dropped[0].member)
        worst = min(self._dropped, key=lambda gone: _RANK.get(gone.reason, len(_RANK)))
        code = None if worst.part else worst.code
        raise _refusal(worst.reason)(f"no member can be delivered: {worst.detail or worst.code}", where=worst.member, code=code)
