"""CSS as drawings use it, read token by token and written anew: known properties, known functions, references inside the drawing only.

Spec: CSS Syntax 3, CSS 2.1 section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from sanitizers.formats.svg.vocabulary import FUNCTIONS, PROPERTIES

Report = Callable[[str, str], None]  # (finding code, detail)

_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<reference>url\(\s*(?:"\#(?P<double>[^"\s()\\<>]+)"|'\#(?P<single>[^'\s()\\<>]+)'|\#(?P<bare>[^"'\s()\\<>]+))\s*\))
      | (?P<function>[A-Za-z-]+)\(
      | (?P<plain>[+-]?(?:[0-9]*\.)?[0-9]+(?:[eE][+-]?[0-9]+)?(?:%|[A-Za-z]+)?|\#[0-9A-Za-z_-]+|-{0,2}[^\W\d][\w-]*|!\s*important|[,/)])
      | (?P<string>"[^"\\<>\n]*"|'[^'\\<>\n]*')""",
    re.VERBOSE | re.IGNORECASE,
)
_SELECTOR: Final = re.compile(r"[\w\-.#*,>+~\s:()]+")
_AT_RULE: Final = re.compile(r"\s*@([\w-]+)")
_AT_RULE_ENDS: Final = re.compile(r"[{;]")
_BRACE: Final = re.compile(r"[{}]")
_MAX_DEPTH: Final = 3


def value(text: str) -> str | None:
    """A property's value with its tokens spelled anew; None if any token is not known."""
    written: list[str] = []
    at = depth = 0
    text = text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        kind = token.lastgroup if token.lastgroup not in ("double", "single", "bare") else "reference"
        if kind == "reference":
            written.append(f"url(#{token['double'] or token['single'] or token['bare']})")
        elif kind == "function":
            if token["function"].lower() not in FUNCTIONS:
                return None
            depth += 1
            written.append(token["function"] + "(")
        else:
            depth -= token[0] == ")"
            written.append(" " if kind == "space" else token[0])
        if not 0 <= depth <= _MAX_DEPTH:
            return None
    return "".join(written) if depth == 0 and written else None


def declarations(text: str, report: Report) -> str:
    """The body of a rule or a style attribute, with the known declarations alone."""
    kept = []
    for part in _split(_COMMENT.sub(" ", text)):
        name, colon, given = part.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            continue
        made = value(given) if name in PROPERTIES else None
        if made is not None:
            kept.append(f"{name}:{made}")
        elif name.startswith("-") or (re.fullmatch(r"[a-z-]+", name) and value(given) is not None):
            report("svg.metadata", name)    # a vendor's or an editor's own: nothing that a viewer of drawings shows
        else:
            report(_reason(given), name)
    return ";".join(kept)


def _reason(given: str) -> str:
    return "svg.external_reference" if "url" in given.lower() or "image" in given.lower() or "\\" in given else "svg.style"


def _split(text: str) -> Iterator[str]:
    """At semicolons outside of strings and parentheses."""
    start = depth = 0
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "()":
            depth = max(0, depth + (1 if char == "(" else -1))
        elif char == ";" and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def sheet(text: str, report: Report) -> str:
    """A style sheet with plain rules alone; rules for media and the like are left behind."""
    text = _COMMENT.sub(" ", text)
    written: list[str] = []
    at = 0
    while at < len(text):
        rule = _AT_RULE.match(text, at)
        ends = _AT_RULE_ENDS.search(text, at) if rule else None
        opened = text.find("{", at)
        if rule and (ends is None or ends[0] == ";"):
            _statement(rule[1].lower(), report)
            at = ends.end() if ends else len(text)
        elif opened < 0:
            if text[at:].strip():
                report("svg.style", "")
            break
        else:
            closed = _closing(text, opened)
            if rule:
                report("svg.font" if rule[1].lower() == "font-face" else "svg.style", "@" + rule[1])
            else:
                written += _rule(text[at:opened].strip(), text[opened + 1 : closed], report)
            at = closed + 1
    return "\n".join(written)


def _statement(name: str, report: Report) -> None:
    if name == "import":
        report("svg.stylesheet", "@import")
    elif name not in ("charset", "namespace"):
        report("svg.style", "@" + name)


def _rule(selector: str, body: str, report: Report) -> list[str]:
    if not _SELECTOR.fullmatch(selector):
        report("svg.style", selector[:80])
        return []
    kept = declarations(body, report)
    return [f"{' '.join(selector.split())}{{{kept}}}"] if kept else []


def _closing(text: str, opened: int) -> int:
    depth = 0
    for found in _BRACE.finditer(text, opened):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return found.start()
    return len(text)
