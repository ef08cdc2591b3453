"""HTML into text that reads well: an own iterative renderer over lexbor's tree.

No visible letter is lost, whatever the nesting; hidden text is left out and counted; links show their true target. A document that
nests too deep for the parser is stripped of its tags in linear time instead.
Spec: WHATWG HTML (parsing), CSS display for what is a block.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from sanitizers.formats.message import ink
from sanitizers.formats.message.ink import Ink
from sanitizers.formats.message.links import misleads, scheme_of
from sanitizers.markup import parsable, pieces

_BLOCKS: Final = frozenset((
    "address", "article", "aside", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "hgroup", "legend", "li", "main", "menu", "nav", "option", "search", "section",
    "summary", "tbody", "tfoot", "thead", "tr", "caption", "body", "html",
))  # fmt: skip
_PARAGRAPHS: Final = frozenset((
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "xmp", "listing", "plaintext",
))  # fmt: skip
_DROPPED: Final = frozenset((
    "script", "style", "head", "title", "template", "noframes", "noembed", "iframe", "frame", "frameset", "applet", "audio",
    "video", "datalist", "annotation", "rp",
))  # fmt: skip
_ACTIVE: Final = frozenset(("script", "iframe", "frame", "frameset", "object", "embed", "applet", "form"))
_PREFORMATTED: Final = frozenset(("pre", "xmp", "listing", "plaintext", "textarea"))
_CELLS: Final = frozenset(("td", "th"))
_BLANKS: Final = " \t\r\n\f\v\xa0"
_SPACE: Final = re.compile(f"[{_BLANKS}]+")
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)
# A box of no size whose contents may not stick out, or text moved out of the window: what a preview line hides in.
_NO_SIZE: Final = re.compile(r"(?<![-\w])(?:max-)?(?:height|width)\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE)
_CLIPPED: Final = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_OUTSIDE: Final = re.compile(r"(?:text-indent|(?<![-\w])(?:left|top))\s*:\s*-\d{3,}", re.IGNORECASE)
_REMOTE: Final = ("http:", "https:", "//")


class Rendered(NamedTuple):
    """The text, and how often what was met: `active`, `hidden`, `remote_image`, `inline_image`, `active_link`, `link_mismatch`,
    `unseen` (in the colour of its background).

    `examples` holds one detail for each of them, for the report.
    """

    text: str
    met: Counter[str]
    examples: dict[str, str]


def render(html: str, schemes: tuple[str, ...]) -> Rendered:
    """`schemes`: the kinds of link whose target is shown; others are left out and counted."""
    html = html.replace("\0", "")
    if not parsable(html):
        return _strip(html)
    page = _Page(schemes)
    root = LexborHTMLParser(html).root
    if root is not None:
        _walk(root, page)
    return Rendered(page.finish(), page.met, page.examples)


def _strip(html: str) -> Rendered:
    """Tags out, letters in, in one pass: for documents that are too deep to be anything but hostile or broken."""
    out: list[str] = []
    met: Counter[str] = Counter()
    for text, tag in pieces(html):
        out.append(unescape(text))
        name = tag.strip("/").split(None, 1)[0].lower() if tag.strip("/ ") else ""
        if name in _ACTIVE and not tag.startswith("/"):
            met["active"] += 1
        if name in _BLOCKS or name in _PARAGRAPHS or name == "br":
            out.append("\n")
        elif name in _CELLS:
            out.append(" ")
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(out).split("\n"))
    return Rendered("\n".join(line for line in lines if line), met, {})


def _walk(root: Any, page: _Page) -> None:
    """Every node once, without recursion: enter, its children, leave."""
    node, opened = root, []
    while node is not None:
        if node.is_text_node:
            page.text(node.text_content or "")
            child = None
        elif node.is_element_node:
            child = node.first_child if page.enter(node) else None
            if child is None:
                page.leave()
        else:
            child = None
        if child is not None:
            opened.append(node)
            node = child
            continue
        while node is not None and node.next is None and opened:
            node = opened.pop()
            page.leave()
        node = node.next if opened or node is not root else None


def _is_hidden(style: str) -> bool:
    if _HIDDEN.search(style) or (_NO_SIZE.search(style) and _CLIPPED.search(style)):
        return True
    return _OUTSIDE.search(style) is not None


def _spellings(target: str) -> set[str]:
    """What a link's text may say so that naming the target again would tell nothing new."""
    bare = target.rstrip("/")
    return {
        bare,
        *(bare.removeprefix(start) for start in ("mailto:", "tel:", "https://", "http://", "https://www.", "http://www.")),
    }


class _Page:
    """What has been written so far. `enter` and `leave` come in pairs for every element."""

    def __init__(self, schemes: tuple[str, ...]) -> None:
        self.met: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._schemes = schemes
        self._lines: list[str] = []
        self._line: list[str] = []
        self._blank = False  # an empty line is due before the next text …
        self._blank_prefix = ""  # … with the quote marks of the place that asked for it
        self._space = False  # a space is due before the next word
        self._cell = False  # a cell border is due before the next word
        self._prefix: list[str] = []
        self._marker = ""
        self._preformatted = 0
        self._numbers: list[int] = []
        self._open: list[tuple[str, str, int, int]] = []  # tag, link target, place in _lines and _line where the link text began
        self._ink: list[Ink] = [Ink()]
        self._unseen = ""  # what was just written in the colour of its background
        self._base = ""

    # what the tree tells

    def enter(self, node: Any) -> bool:
        """Open an element; False when its content is not to be seen."""
        tag = node.tag or ""
        attributes = node.attributes
        target = ""
        seen = True
        self._ink.append(ink.below(self._ink[-1], tag, attributes) if attributes else self._ink[-1])
        if attributes or tag in _ACTIVE:
            seen = self._look_at(tag, attributes)
        if tag == "base" and not self._base:
            self._base = attributes.get("href") or ""
        if tag in _DROPPED or not seen:
            if tag == "head":
                self._look_at_head(node)
            self._open.append(("", "", 0, 0))
            return False
        if tag in _PARAGRAPHS or tag in _BLOCKS:
            self._break(tag in _PARAGRAPHS and not self._numbers)
        if tag == "a":
            target = self._target(attributes.get("href") or "")
        self._begin(tag, attributes)
        self._open.append((tag, target, len(self._lines), len(self._line)))
        return True

    def leave(self) -> None:
        tag, target, lines, words = self._open.pop()
        self._ink.pop()
        if self._unseen and not self._ink[-1].unseen:
            self._meet("unseen", self._unseen)
            self._word("〔※背景と同じ色の文字〕")
            self._unseen = ""
        if tag == "a" and target:
            self._end_link(target, lines, words)
        elif tag in ("ul", "ol", "menu", "dir"):
            self._numbers.pop()
            self._prefix.pop()
        elif tag == "blockquote":
            self._break(blank=False)
            self._prefix.pop()
        elif tag in _PREFORMATTED:
            self._preformatted -= 1
        if tag in _PARAGRAPHS or tag in _BLOCKS:
            self._break(tag in _PARAGRAPHS and not self._numbers)

    def text(self, data: str) -> None:
        if self._ink[-1].unseen:
            self._unseen = (self._unseen + data.strip())[:200]
        if self._preformatted:
            first, *rest = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._raw(first)
            for line in rest:
                self._newline()
                self._raw(line)
            return
        squeezed = _SPACE.sub(" ", data)
        word = squeezed.strip(" ")
        if not word:
            self._space = self._space or bool(squeezed)
            return
        self._space = self._space or squeezed[0] == " "
        self._word(word)
        self._space = squeezed[-1] == " "

    def finish(self) -> str:
        self._newline()
        return "\n".join(self._lines).strip("\n")

    # elements

    def _look_at(self, tag: str, attributes: dict[str, str | None]) -> bool:
        """Count what is active, remote or hidden; False for hidden."""
        if tag in _ACTIVE or any(name.startswith("on") for name in attributes):
            self._meet("active", tag)
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
            self._meet("active", "meta refresh")
        source = (attributes.get("src") or attributes.get("background") or "").strip()
        if source.lower().startswith(_REMOTE):
            self._meet("remote_image", source)
        elif source.lower().startswith("data:"):
            self._meet("inline_image", source[:40])
        style = attributes.get("style") or ""
        if "hidden" in attributes or (style and _is_hidden(style)):
            self._meet("hidden", tag)
            return False
        return True

    def _look_at_head(self, head: Any) -> None:
        child = head.first_child
        while child is not None:
            if child.is_element_node:
                self._look_at(child.tag or "", child.attributes)
                if child.tag == "base" and not self._base:
                    self._base = child.attributes.get("href") or ""
            child = child.next

    def _meet(self, what: str, example: str) -> None:
        self.met[what] += 1
        self.examples.setdefault(what, example[:200])

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "br":
            self._newline()
        elif tag == "hr":
            self._break(blank=False)
            self._word("─" * 20)
            self._break(blank=False)
        elif tag in _CELLS:
            self._cell = True
        elif tag == "img":
            self._word_apart(self._alternative(attributes))
        elif tag == "input":
            self._input(attributes)
        elif tag in ("ul", "ol", "menu", "dir"):
            self._prefix.append("  " if self._numbers else "")
            self._numbers.append(1 if tag == "ol" else -1)
        elif tag == "li":
            self._item()
        elif tag == "dd":
            self._marker = "  "
        elif tag == "blockquote":
            self._prefix.append("> ")
        elif tag in _PREFORMATTED:
            self._preformatted += 1

    def _item(self) -> None:
        number = self._numbers[-1] if self._numbers else -1
        if number >= 0:
            self._numbers[-1] += 1
            self._marker = f"{number}. "
        else:
            self._marker = "・"

    def _alternative(self, attributes: dict[str, str | None]) -> str:
        words = _SPACE.sub(" ", attributes.get("alt") or "").strip()
        return f"［{words}］" if words else ""

    def _input(self, attributes: dict[str, str | None]) -> None:
        if (attributes.get("type") or "text").lower() not in ("hidden", "password", "file", "image"):
            self._word_apart(_SPACE.sub(" ", attributes.get("value") or "").strip())

    def _target(self, href: str) -> str:
        """The target to show, or '' for none: fragments lead nowhere, and kinds of link that are not allowed are left out."""
        href = "".join(char for char in href.strip() if char >= " ")
        scheme = scheme_of(href)
        if not scheme and self._base and not href.startswith("#"):
            try:
                href = urljoin(self._base, href)
            except ValueError:
                return ""
            scheme = scheme_of(href)
        if scheme in self._schemes:
            return href[:2000].replace(" ", "%20")
        if href.startswith("//"):
            return "http:" + href[:2000].replace(" ", "%20")
        if scheme and scheme != "cid":
            self._meet("active_link", scheme + ":")
        return ""

    def _end_link(self, target: str, lines: int, words: int) -> None:
        written = self._line[words:] if lines == len(self._lines) else [*self._lines[lines:], *self._line]
        shown = "".join(written).strip(_BLANKS + "|")
        if misleads(shown, target):
            self._meet("link_mismatch", f"{shown[:80]} -> {target[:100]}")
            self._word(f"〈※表示と異なるリンク先：{target}〉")
        elif shown.rstrip("/") not in _spellings(target):
            self._word(f"〈{target}〉")

    # lines

    def _word_apart(self, word: str) -> None:
        if word:
            self._space = True
            self._word(word)
            self._space = True

    def _start_line(self) -> None:
        if self._blank and self._lines and self._lines[-1].strip("> "):
            self._lines.append(min(self._blank_prefix, "".join(self._prefix), key=len).rstrip())
        self._blank = self._space = self._cell = False
        self._line.append("".join(self._prefix) + self._marker)
        self._marker = ""

    def _word(self, word: str) -> None:
        if not self._line:
            self._start_line()
        elif self._cell:
            self._line.append(" | ")
        elif self._space:
            self._line.append(" ")
        self._space = self._cell = False
        self._line.append(word)

    def _raw(self, text: str) -> None:
        if text:
            if not self._line:
                self._start_line()
            self._line.append(text)

    def _newline(self) -> None:
        self._lines.append("".join(self._line).rstrip(_BLANKS) if self._line else "".join(self._prefix).rstrip())
        self._line.clear()
        self._space = self._cell = False

    def _break(self, blank: bool) -> None:
        if self._line:
            self._newline()
        if blank:
            self._blank, self._blank_prefix = True, "".join(self._prefix)
        self._space = self._cell = False
