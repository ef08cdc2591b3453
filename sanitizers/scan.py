"""YARA over bytes: the raw input of each part and every decoded layer that a sanitizer shows."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import yara

from sanitizers.model import Kind, LimitExceeded, Match, Severity
from sanitizers.source import Source

_SECONDS: Final = 30
_CATALOG: Final = "catalog.toml"
_EXTERNALS: Final[dict[str, Any]] = {"kind": "", "where": "", "size": 0}
_SEVERITIES: Final = frozenset(Severity)


class Scanner:
    """Compiled rules. One for all children: they share its memory with the warm parent."""

    def __init__(self, rules: yara.Rules | None, states: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._states = states or {}

    def scan(self, source: Source, where: str, kind: Kind) -> list[Match]:
        """Every rule that matches, in the order of the rules. Raises LimitExceeded when it takes too long."""
        if self._rules is None or not len(source):
            return []
        externals = {"kind": str(kind), "where": where, "size": len(source)}
        try:
            found = self._rules.match(data=source.view, externals=externals, timeout=_SECONDS)
        except yara.TimeoutError:
            raise LimitExceeded(f"scan took longer than {_SECONDS} s") from None
        return [Match(rule=match.rule, severity=self._severity(match), where=where[:500]) for match in found]

    def _severity(self, match: yara.Match) -> Severity:
        """What the rule says; a rule in evaluation is only noted, one without a severity counts as medium."""
        if self._states.get(match.rule) == "evaluation":
            return Severity.INFO
        said = match.meta.get("severity")
        return Severity(said) if said in _SEVERITIES else Severity.MEDIUM


NO_RULES: Final = Scanner(None)


def compile_rules(files: Mapping[str, str]) -> Scanner:
    """File name → text of `*.yar` files and the catalog. Raises ValueError that names the file and the line."""
    sources = {name: text for name, text in sorted(files.items()) if name.endswith(".yar")}
    for name, text in sources.items():
        try:
            yara.compile(source=text, externals=_EXTERNALS, includes=False)
        except yara.SyntaxError as error:
            raise ValueError(f"{name}: {re.sub(r'^line ', 'line ', str(error))}") from None
    states = {rule: str(row.get("state", "enabled")) for rule, row in _catalog(files).items()}
    if not sources:
        return NO_RULES
    return Scanner(yara.compile(sources=sources, externals=_EXTERNALS, includes=False), states)


def version(files: Mapping[str, str]) -> str:
    """The first 16 hex digits of a SHA-256 over names and texts; empty for no rules."""
    if not files:
        return ""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{len(name)}:{name}{len(text)}:{text}".encode())
    return digest.hexdigest()[:16]


def _catalog(files: Mapping[str, str]) -> dict[str, Any]:
    try:
        return tomllib.loads(files.get(_CATALOG, ""))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{_CATALOG}: {error}") from None
