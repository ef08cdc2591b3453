"""A file of YARA rules taken apart without compiling it: which rules it has, where each begins, which others it speaks of.

Spec: https://yara.readthedocs.io/en/stable/writingrules.html; a regular expression ends at its first slash without a backslash, and
division is written with a backslash, so that one look ahead is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|(?s:/\*(?:.*?\*/|.*)))      # a comment without end takes the rest
      | (?P<string>"(?:\\[^\n]|[^"\\\n])*"?)                # and these the rest of their line: no place is read twice
      | (?P<regex>/(?:\\[^\n]|[^/\\\n])+/?[is]*)
      | (?P<variable>[$\#@!][A-Za-z0-9_]*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Rule(NamedTuple):
    """One rule. `words`: every name in it, of rules and of anything else; `line` counts from 1, `start` from 0 in characters."""

    name: str
    line: int
    start: int
    text: str
    is_global: bool
    words: frozenset[str]


class Parts(NamedTuple):
    """A file. `imports` as they are written; `unread`: the lines of what is no rule (an include, a slip of the pen)."""

    imports: tuple[str, ...]
    rules: tuple[Rule, ...]
    unread: tuple[int, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def parts(text: str) -> Parts:
    """Never raises: what cannot be read is named by its line."""
    tokens = [token for token in _tokens(text) if token.kind != "blank"]
    lines, ends = _Lines(text), _ends(tokens)
    imports, rules, unread = [], [], []
    at = 0
    while at < len(tokens):
        token, begin = tokens[at], at
        if token.text == "import" and at + 1 < len(tokens) and tokens[at + 1].kind == "string":
            imports.append(f"import {tokens[at + 1].text}")
            at += 2
            continue
        while at < len(tokens) and tokens[at].text in ("private", "global"):
            at += 1
        end = _body(tokens, at, ends)
        if end is None:
            unread.append(lines.of(token.start))
            at = _next_rule(tokens, at + 1)
            continue
        at = end + 1
        rules.append(_rule(text, tokens[begin:at], lines))
    return Parts(tuple(dict.fromkeys(imports)), tuple(rules), tuple(unread))


def with_needed(rule: Rule, before: Mapping[str, Rule]) -> list[Rule]:
    """The rule after those of `before` (by their names) that it rests on, in their order."""
    needed: dict[str, Rule] = {}
    waiting = [rule]
    while waiting:
        found = [name for name in waiting.pop().words if name in before and name not in needed and name != rule.name]
        needed |= {name: before[name] for name in found}
        waiting += [before[name] for name in found]
    return [*sorted(needed.values(), key=lambda other: other.start), rule]


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        yield _Token(match.lastgroup or "other", match.group(), match.start(), match.end())


def _ends(tokens: Sequence[_Token]) -> dict[int, int]:
    """Where each opening brace is closed."""
    opened, ends = [], {}
    for index, token in enumerate(tokens):
        if token.text == "{":
            opened.append(index)
        elif token.text == "}" and opened:
            ends[opened.pop()] = index
    return ends


def _body(tokens: Sequence[_Token], at: int, ends: Mapping[int, int]) -> int | None:
    """The closing brace of the rule whose word `rule` stands at `at`; None if there is no rule."""
    if at + 1 >= len(tokens) or tokens[at].text != "rule" or tokens[at + 1].kind != "word":
        return None
    at += 2
    while at < len(tokens) and tokens[at].text != "rule" and (tokens[at].kind == "word" or tokens[at].text == ":"):
        at += 1
    return ends.get(at)


def _next_rule(tokens: Sequence[_Token], at: int) -> int:
    while at < len(tokens) and tokens[at].text not in ("rule", "private", "global", "import"):
        at += 1
    return at


def _rule(text: str, tokens: Sequence[_Token], lines: _Lines) -> Rule:
    start, words = tokens[0].start, [token.text for token in tokens]
    name = words[words.index("rule") + 1]
    named = frozenset(token.text for token in tokens if token.kind == "word")
    return Rule(name, lines.of(start), start, text[start : tokens[-1].end], "global" in words[: words.index("rule")], named)


class _Lines:
    """Line numbers of positions that only grow: counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def of(self, position: int) -> int:
        self._line += self._text.count("\n", self._at, position)
        self._at = position
        return self._line
