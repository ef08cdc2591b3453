"""Smaller sets of rules, fewer bytes to search for: the text of a rule file cut down to the rules that can count.

What a scan costs goes by the number of texts that are searched for at once. A rule whose meta says `kinds = "pdf html"` is asked about
parts of those kinds only, so the set for pictures need not hold it; and what is written is scanned for rules that block alone.

A file is cut between its rules, and only where no rule can mean another: no `global` or `private` rule, no set of rules in a condition.
A rule that names another one does not compile without it, and a cut set that does not compile, or does not hold exactly the rules that it
should, is not used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yara

_HEADER: Final = re.compile(r"^rule\s+(\w+)", re.MULTILINE)
_REMARK: Final = re.compile(r"^\s*//.*$", re.MULTILINE)
# `global rule`, `private rule`, `any of (Office_*)` and whatever else follows an `of` that is no set of texts.
_BOUND: Final = re.compile(r"\b(?:global|private)\b|\bof\b\s*(?!\s)(?!them\b|\(\s*\$)")
_IMPORT: Final = re.compile(r"^\s*import\b", re.MULTILINE)


def compiled(
    sources: Mapping[str, str], wanted: Mapping[str, Sequence[tuple[str, bool]]], externals: Mapping[str, Any]
) -> yara.Rules | None:
    """The wanted rules alone, in the order of the whole. None where they cannot be had alone.

    `wanted`: for every file, its rules in order, and whether each is wanted. Files that cannot be cut come along as they are.
    """
    texts: dict[str, str] = {}
    names: list[str] = []
    for file, rules in wanted.items():
        kept = {name for name, wanted_one in rules if wanted_one}
        if not kept:
            continue
        pieces = _pieces(sources[file], [name for name, _ in rules])
        texts[file] = sources[file] if pieces is None else _only(pieces, kept)
        names += [name for name, _ in rules if pieces is None or name in kept]
    try:
        made = compact(yara.compile(sources=texts or {"": ""}, externals=dict(externals), includes=False))
    except yara.Error:
        return None
    return made if [rule.identifier for rule in made] == names else None


def compact(rules: yara.Rules) -> yara.Rules:
    """The same rules in as much memory as they need: a compiler leaves twelve buffers of a megabyte, which every child would inherit."""
    stream = io.BytesIO()
    rules.save(file=stream)
    stream.seek(0)
    return yara.load(file=stream)


def _pieces(text: str, names: list[str]) -> list[tuple[str, str]] | None:
    """What stands before the first rule, under no name, then the text of each. None where the rules must stay together."""
    headers = list(_HEADER.finditer(text))
    if [header[1] for header in headers] != names or _BOUND.search(_REMARK.sub("", text)) or _IMPORT.search(text, headers[0].start()):
        return None
    starts = [header.start() for header in headers]
    ends = [*starts[1:], len(text)]
    return [("", text[: starts[0]]), *((name, text[start:end]) for name, start, end in zip(names, starts, ends, strict=True))]


def _only(pieces: list[tuple[str, str]], kept: set[str]) -> str:
    return "".join(text for name, text in pieces if not name or name in kept)
