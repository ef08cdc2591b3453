"""Second opinion on a rebuilt HTML file: Python's html.parser walks every tag, and nh3 (html5ever) must find nothing to take out.

Both lists stand here on their own; they share no code with the sanitizer.
"""

from __future__ import annotations

import html.entities  # noqa: F401 - loaded before the jail closes
import re
from html.parser import HTMLParser
from typing import Final

import nh3

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source

_TAGS: Final = frozenset((
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite",
    "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
))  # fmt: skip
_ATTRIBUTES: Final = frozenset((
    "href", "rel", "title", "lang", "dir", "id", "style", "hidden", "align", "valign", "colspan", "rowspan", "span", "scope",
    "start", "value", "type", "datetime", "border", "width", "cellpadding", "cellspacing",
))  # fmt: skip
_BAD_STYLE: Final = re.compile(r"url|expression|import|behavior|binding|[\\@<>{}]|/\*", re.IGNORECASE)
_START: Final = re.compile(
    r'<!DOCTYPE html>\n<html(?: lang="[A-Za-z0-9 _.,:+-]{1,60}")?>\n<head>\n'
    r'<meta charset="utf-8">\n<title>[^<>]*</title>\n</head>\n<body>\n'
)
_END: Final = "\n</body>\n</html>\n"


class _Walk(HTMLParser):
    """Collects what the page is made of; anything outside the lists is an error."""

    def __init__(self, schemes: tuple[str, ...]) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self._schemes = schemes

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise VerificationFailed(f"element {tag}")
        self.tags.append(tag)
        for name, value in attrs:
            if name not in _ATTRIBUTES:
                raise VerificationFailed(f"attribute {name} of {tag}")
            if name == "style" and _BAD_STYLE.search(value or ""):
                raise VerificationFailed("style that could load or run")
            if name == "href":
                self._check_target(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - any comment is one too many
        raise VerificationFailed("comment")

    def handle_decl(self, decl: str) -> None:
        raise VerificationFailed(f"declaration {decl[:20]}")

    def handle_pi(self, data: str) -> None:
        raise VerificationFailed(f"processing instruction {data[:20]}")

    def unknown_decl(self, data: str) -> None:
        raise VerificationFailed(f"section {data[:20]}")

    def _check_target(self, target: str) -> None:
        bare = re.sub(r"[\x00-\x20]", "", target)
        scheme = re.match(r"([^/?#]*?):", bare)
        if (scheme and scheme[1].lower() not in self._schemes) or re.match(r"[/\\]{2}", bare):
            raise VerificationFailed(f"link to {target[:60]}")


def verify(output: Source, original: Source, context: Context) -> None:  # noqa: ARG001 - one signature for all verifiers
    """Our frame around known tags and attributes, in which another cleaner finds nothing to change. Raises VerificationFailed."""
    try:
        text = output.bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationFailed("not UTF-8") from error
    start = _START.match(text)
    if start is None or not text.endswith(_END):
        raise VerificationFailed("not our frame")
    body = text[start.end() : -len(_END)]
    schemes = context.treatment.link_schemes
    ours = _walked(body, schemes)
    theirs = _walked(_cleaned(body, schemes), schemes)
    if sorted(ours.tags) != sorted(theirs.tags) or _letters(ours) != _letters(theirs):
        raise VerificationFailed("a second cleaner would change it")


def _walked(body: str, schemes: tuple[str, ...]) -> _Walk:
    walk = _Walk(schemes)
    walk.feed(body)
    walk.close()
    return walk


def _letters(walk: _Walk) -> str:
    return "".join("".join(walk.words).split())


def _cleaned(body: str, schemes: tuple[str, ...]) -> str:
    return nh3.clean(
        body,
        tags=set(_TAGS),
        attributes={"*": set(_ATTRIBUTES) - {"rel"}},
        url_schemes=set(schemes),
        link_rel="noopener noreferrer",
    )
