"""YARA over bytes: the raw input of each part and every decoded layer that a sanitizer shows."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import yara

from sanitizers import rule_sets
from sanitizers.model import Kind, LimitExceeded, Match, Seen, Severity
from sanitizers.source import Folded, Source

_SECONDS: Final = 30
_WINDOW: Final = 16 << 20         # bytes of a folded text that are scanned at a time …
_OVERLAP: Final = 64 << 10        # … and of the next stretch, for what lies across the border
_MOST_PIECES: Final = 4
_LONGEST_PIECE: Final = 32        # bytes
_LONGEST_NAME: Final = 64
_CATALOG: Final = "catalog.toml"
_EXTERNALS: Final[dict[str, Any]] = {"kind": "", "where": "", "size": 0}
_SEVERITIES: Final = frozenset(Severity)
_KINDS: Final = frozenset(map(str, Kind))
_STATES: Final = ("enabled", "evaluation", "disabled")
# Kinds whose scans share a cut set of rules (`rule_sets`), each without the rules that are about other kinds only; all other kinds
# together are one group more.
_GROUPS: Final = (
    frozenset({Kind.JPEG, Kind.PNG, Kind.GIF, Kind.BMP, Kind.TIFF, Kind.WEBP, Kind.HEIC, Kind.AVIF, Kind.JP2, Kind.ICO}),
    frozenset({Kind.PDF}),
    frozenset({Kind.EML, Kind.HTML, Kind.MHT, Kind.MSG}),
)


class Scanner:
    """Compiled rules. One for all children: they share its memory with the warm parent.

    `states`: rule name → `enabled`, `evaluation` (recorded as information only) or `disabled`; a rule without a row is enabled.
    `narrowed`: for some kinds the same rules without those that cannot count there. `blocking`: those alone that can be of severity high.
    """

    def __init__(
        self,
        rules: yara.Rules | None,
        states: Mapping[str, str] | None = None,
        narrowed: Mapping[Kind, yara.Rules] | None = None,
        blocking: yara.Rules | None = None,
    ) -> None:
        self._rules = rules
        self._states = states or {}
        self._narrowed = narrowed or {}
        self._blocking = blocking or rules

    def scan(self, source: Source, where: str, kind: Kind) -> list[Match]:
        """Every rule that matches, in the order of the rules. Raises LimitExceeded when it takes too long or needs too much."""
        return self._found(self._narrowed.get(kind, self._rules), source, where, kind)

    def scan_for_blocking(self, source: Source, where: str, kind: Kind) -> list[Match]:
        """What `scan` would find of severity high, and nothing else: cheaper."""
        return [match for match in self._found(self._blocking, source, where, kind) if match.severity is Severity.HIGH]

    def _found(self, rules: yara.Rules | None, source: Source, where: str, kind: Kind) -> list[Match]:
        if rules is None or not len(source):
            return []
        found: dict[str, Match] = {}
        for start, window in _windows(source, kind):
            for match in self._matches(rules, window, {"kind": str(kind), "where": where, "size": len(source)}):
                if self._states.get(match.rule) != "disabled" and _is_about(match.meta, kind):
                    severity, pieces = self._severity(match), _pieces(match, start)
                    found.setdefault(match.rule, Match(rule=match.rule, severity=severity, where=where[:500], seen=pieces))
        return list(found.values())

    def _matches(self, rules: yara.Rules, data: bytes | memoryview, externals: dict[str, Any]) -> list[yara.Match]:
        where = externals["where"]
        try:
            found: list[yara.Match] = rules.match(
                data=data,
                externals=externals,
                timeout=_SECONDS,
                fast=True,                              # one occurrence of a string is enough: hostile input repeats it a million times
                warnings_callback=_continue,            # a warning would be printed, and its printing opens files
                console_callback=_ignore,
            )
        except yara.TimeoutError:
            raise LimitExceeded(f"scan took longer than {_SECONDS} s", where=where) from None
        except yara.Error as error:
            raise LimitExceeded(f"scan gave up: {str(error)[:100]}", where=where) from None
        return found

    def _severity(self, match: yara.Match) -> Severity:
        """What the rule says; a rule in evaluation is only noted, one without a severity counts as medium."""
        if self._states.get(match.rule) == "evaluation":
            return Severity.INFO
        said = match.meta.get("severity")
        return Severity(said) if said in _SEVERITIES else Severity.MEDIUM


def _pieces(match: yara.Match, start: int) -> tuple[Seen, ...]:
    """What people who judge a rule have to see of it: one occurrence of its first pieces, and not much of each."""
    pieces = []
    for one in match.strings[:_MOST_PIECES]:
        first = one.instances[0]
        pieces.append(Seen(one.identifier[:_LONGEST_NAME], start + first.offset, first.matched_data[:_LONGEST_PIECE].hex()))
    return tuple(pieces)


def _is_about(meta: Mapping[str, Any], kind: Kind) -> bool:
    """A rule without `kinds` is about all of them."""
    return "kinds" not in meta or str(kind) in meta["kinds"].split()


NO_RULES: Final = Scanner(None)


def _windows(source: Source, kind: Kind) -> Iterator[tuple[int, bytes | memoryview]]:
    """Each with where it begins: the whole; of a folded text, which is never whole in memory, one stretch after the other."""
    if not isinstance(source, Folded) or kind is not Kind.TEXT:
        yield 0, source.view
        return
    for start in range(0, len(source), _WINDOW):
        yield start, source.part(start, _WINDOW + _OVERLAP)


def compile_rules(files: Mapping[str, str]) -> Scanner:
    """File name → text of `*.yar` files and the catalog. Raises ValueError that names the file and the line."""
    sources = {name: text for name, text in sorted(files.items()) if name.endswith(".yar")}
    rules: dict[str, list[yara.Rule]] = {}
    for name, text in sources.items():
        try:
            rules[name] = list(yara.compile(source=text, externals=_EXTERNALS, includes=False))
        except yara.Error as error:
            raise ValueError(f"{name}: {error}") from None
        for rule in rules[name]:
            _check_kinds(rule, name)
    states = _states(files, {rule.identifier for of_file in rules.values() for rule in of_file})
    if not sources:
        return NO_RULES
    whole = rule_sets.compact(yara.compile(sources=sources, externals=_EXTERNALS, includes=False))

    def cut(keep: Callable[[yara.Rule], bool]) -> yara.Rules:
        enabled = {name: [(rule.identifier, states.get(rule.identifier) != "disabled" and keep(rule)) for rule in of_file]
                   for name, of_file in rules.items()}  # fmt: skip
        everything = all(wanted for of_file in enabled.values() for _, wanted in of_file)
        return whole if everything else rule_sets.compiled(sources, enabled, _EXTERNALS) or whole

    groups = (*_GROUPS, frozenset(Kind).difference(*_GROUPS))
    narrowed = {kind: made for group in groups for made in [cut(partial(_is_about_any, group))] for kind in group}
    return Scanner(whole, states, narrowed, cut(lambda rule: rule.meta.get("severity") == Severity.HIGH))


def _is_about_any(kinds: frozenset[Kind], rule: yara.Rule) -> bool:
    return any(_is_about(rule.meta, kind) for kind in kinds)


def _check_kinds(rule: yara.Rule, file: str) -> None:
    """A kind that does not exist would take the rule out of every scan, and nobody would notice it."""
    kinds = rule.meta.get("kinds", "unknown")
    if not isinstance(kinds, str) or not kinds.split() or not _KINDS.issuperset(kinds.split()):
        raise ValueError(f"{file}: {rule.identifier}: meta kinds are names of kinds: {kinds!r}")


def version(files: Mapping[str, str]) -> str:
    """The first 16 hex digits of a SHA-256 over names and texts; empty for no rules."""
    if not files:
        return ""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{len(name)}:{name}{len(text)}:{text}".encode())
    return digest.hexdigest()[:16]


def _continue(*_: object) -> int:
    return int(yara.CALLBACK_CONTINUE)


def _ignore(_: object) -> None:
    """Rules may print; nobody listens."""


def _states(files: Mapping[str, str], names: set[str]) -> dict[str, str]:
    """State of every rule that the catalog names. A row that names no rule is a slip of the pen, and nobody would notice it."""
    try:
        rows = tomllib.loads(files.get(_CATALOG, ""))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{_CATALOG}: {error}") from None
    states: dict[str, str] = {}
    for rule, row in rows.items():
        state = row.get("state", "enabled") if isinstance(row, dict) else None
        if state not in _STATES:
            raise ValueError(f"{_CATALOG}: [{rule}] state is one of {', '.join(_STATES)}")
        if rule not in names:
            raise ValueError(f"{_CATALOG}: [{rule}] names no rule of this set")
        states[rule] = state
    return states
