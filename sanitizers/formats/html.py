"""HTML files: a new document with the same words and structure, and nothing in it that acts or loads.

Removes: scripts, event handlers, forms, frames, objects, redirections, style sheets, images, links of other schemes.
Keeps: headings, paragraphs, lists, tables, inline text, plain inline styles, links by scheme and inside the page, title, language;
where policy wants pages as text, their words with the targets of links.
Refuses: documents that nest deeper than 400 elements.
Spec: WHATWG HTML (parsing and serialising); the parser is lexbor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from sanitizers.charset import decode_html
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import html_text, words
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.markup import ATTRIBUTE_LIMIT, NESTING_LIMIT, parsable
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_TEXT: Final = frozenset((
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite",
    "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
))  # fmt: skip
ROUNDS: Final = 5
_VOID: Final = frozenset(("br", "col", "hr", "wbr"))
# Written as another element that looks the same.
_RENAMED: Final = {"font": "span", "xmp": "pre", "listing": "pre", "plaintext": "pre", "textarea": "pre", "dir": "ul", "menu": "ul"}
# Left out with everything inside. The rest of what is not in _TEXT loses its tags and keeps its words.
_WITH_CONTENT: Final = {
    "script": "html.script", "style": "html.style", "template": "html.active_element", "iframe": "html.active_element",
    "frame": "html.active_element", "frameset": "html.active_element", "noembed": "html.element", "noframes": "html.element",
    "embed": "html.active_element", "applet": "html.active_element", "audio": "html.active_element",
    "video": "html.active_element", "datalist": "html.active_element",
}  # fmt: skip
_TAGS_ONLY: Final = {
    "object": "html.active_element", "form": "html.active_element", "button": "html.active_element",
    "select": "html.active_element", "input": "html.active_element", "map": "html.active_element",
    "area": "html.active_element", "portal": "html.active_element", "svg": "html.element", "math": "html.element",
    "canvas": "html.active_element", "img": "html.remote_image", "picture": "html.remote_image", "image": "html.remote_image",
    "base": "html.active_element",
}  # fmt: skip
_SILENT: Final = frozenset(
    ("html", "head", "body", "noscript", "meta", "option", "optgroup", "label", "fieldset", "legend", "slot", "nobr")
)
_NUMBER: Final = re.compile(r"\d{1,4}")
_WORD: Final = re.compile(r"[A-Za-z0-9 _.,:+-]{1,60}")
_NAME: Final = re.compile(r"[^\s\"'<>&`\x00-\x20]{1,200}")
_ATTRIBUTES: Final = {
    "title": None, "lang": _WORD, "dir": re.compile("ltr|rtl|auto", re.IGNORECASE), "id": _NAME, "align": _WORD, "valign": _WORD,
    "colspan": _NUMBER, "rowspan": _NUMBER, "span": _NUMBER, "scope": _WORD, "start": re.compile(r"-?\d{1,6}"), "value": _NUMBER,
    "type": re.compile("[1aAiI]|disc|circle|square"), "datetime": _WORD, "border": _NUMBER, "width": re.compile(r"\d{1,4}%?"),
    "cellpadding": _NUMBER, "cellspacing": _NUMBER,
}  # fmt: skip
_STYLE: Final = frozenset((
    "color", "background-color", "text-align", "vertical-align", "font-weight", "font-style", "font-size", "text-decoration",
    "text-indent", "line-height", "letter-spacing", "white-space", "width", "border-collapse", "writing-mode",
))  # fmt: skip
_STYLE_VALUE: Final = re.compile(r"(?:[A-Za-z0-9#%. -]{1,60}|rgba?\([0-9., %]{1,40}\))")
_HIDES: Final = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LOADING: Final = frozenset(
    ("src", "srcset", "background", "poster", "data", "action", "formaction", "ping", "manifest", "longdesc")
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_FIRST_STEP: Final = re.compile(r"[/\\?#]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A page written anew from its tree. Raises Malformed, LimitExceeded."""
    data = source.bytes()
    context.budget.spend_bytes(len(data))
    decoded = decode_html(data)
    if decoded.charset not in ("utf-8", "us-ascii"):
        context.scan_layer(decoded.text.encode("utf-8", "replace"), decoded.charset)
    if decoded.replaced:
        context.found("html.unknown_characters", "", Action.REWRITTEN, f"{decoded.replaced} characters")
    if "<!--[if" in decoded.text:
        context.found("html.comment", "conditional comment")
    if not parsable(decoded.text):
        raise Malformed(f"elements nested deeper than {NESTING_LIMIT} or with more than {ATTRIBUTE_LIMIT} attributes")
    page = LexborHTMLParser(_CONTROL.sub("", decoded.text))
    title, language = _head(page, context)
    body = _settled(_Writer(context.found, context.treatment.link_schemes).write(page.body))
    head = f'<html{language}>\n<head>\n<meta charset="utf-8">\n<title>{escape(title, quote=False)}</title>\n</head>'
    text = f"<!DOCTYPE html>\n{head}\n<body>\n{body}\n</body>\n</html>\n"
    if context.treatment.pages_as_text:
        return words.rebuilt(html_text.words(text, title), "html.as_text", context)
    return Rebuilt(Source(text.encode("utf-8", "replace")), Kind.HTML)


def _settled(body: str) -> str:
    """Written and read again until it stays the same: leaving elements out may let a parser nest the others differently."""
    for _ in range(ROUNDS):
        again = _Writer(_unseen, None).write(LexborHTMLParser(f"<!DOCTYPE html><body>{body}").body)
        if again == body:
            return body
        body = again
    raise Malformed("elements that do not settle")


def _unseen(code: str, where: str = "", action: Action = Action.REMOVED, detail: str = "") -> None:
    """Rounds after the first find nothing new: what they meet was written by us."""


def _head(page: LexborHTMLParser, context: Context) -> tuple[str, str]:
    """(title, the language attribute), and findings about what the head would have done."""
    title, language = "", ""
    if (root := page.root) is not None:     # always `html`: the parser makes one where none is written
        wanted = root.attributes.get("lang") or root.attributes.get("xml:lang") or ""
        language = f' lang="{wanted}"' if _WORD.fullmatch(wanted) else ""
    node: Any = page.head.first_child if page.head is not None else None
    while node is not None:
        if node.is_element_node:
            if node.tag == "title":
                title = title or " ".join((node.text() or "").split())
            else:
                _look_at_head(node.tag or "", node.attributes, context)
        node = node.next
    return title[:1000], language


def _look_at_head(tag: str, attributes: dict[str, str | None], context: Context) -> None:
    if tag == "meta":
        name = (attributes.get("http-equiv") or "").lower()
        if name == "refresh":
            context.found("html.meta_refresh", "head", Action.REMOVED, attributes.get("content") or "")
        elif not name and "charset" not in attributes and (attributes.get("name") or "").lower() not in ("viewport", "", "robots"):
            context.found("html.metadata", "head")
    elif tag == "link":
        relation = (attributes.get("rel") or "").lower()
        context.found("html.style" if "stylesheet" in relation else "html.element", "head", Action.REMOVED, f"link {relation}")
    elif tag == "base":
        context.found("html.active_element", "head", Action.REMOVED, "base")
    elif tag in _WITH_CONTENT:
        context.found(_WITH_CONTENT[tag], "head", Action.REMOVED, tag)


class _Writer:
    """Writes the tree below one node as HTML, iteratively, element by element from the allow-list."""

    def __init__(self, found: Callable[[str, str, Action, str], None], schemes: tuple[str, ...] | None) -> None:
        """`schemes`: None trusts the links, which were checked when they were written."""
        self.out: list[str] = []
        self._found = found
        self._schemes = schemes

    def write(self, body: Any) -> str:
        node = None if body is None else body.first_child
        ends: list[str] = []
        parents: list[Any] = []
        while node is not None:
            child = None
            if node.is_text_node:
                self.out.append(escape(node.text_content or "", quote=False))
            elif node.is_element_node:
                end = self._open(node)
                child = node.first_child if end is not None else None
                if child is not None:
                    parents.append(node)
                    ends.append(end or "")
                else:
                    self.out.append(end or "")
            if child is not None:
                node = child
                continue
            while node is not None and node.next is None:
                node = parents.pop() if parents else None
                if node is not None:
                    self.out.append(ends.pop())
            node = node.next if node is not None else None
        return "".join(self.out).strip()

    def _open(self, node: Any) -> str | None:
        """Write the start of an element; its end tag, '' for none, or None to leave out its content too."""
        tag = (node.tag or "").lower()
        attributes = node.attributes
        if any(name.startswith("on") for name in attributes):
            self._found("html.event_handler", "body", Action.REMOVED, tag)
        if code := _WITH_CONTENT.get(tag):
            self._found(code, "body", Action.REMOVED, tag)
            return None
        tag = _RENAMED.get(tag, tag)
        if tag not in _TEXT:
            self._unwrap(tag, attributes)
            return ""
        self.out.append(f"<{tag}{self._attributes(tag, attributes)}>")
        if tag == "pre":  # the parser drops one line end after the tag
            self.out.append("\n")
        return "" if tag in _VOID else f"</{tag}>"

    def _unwrap(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
            self._found("html.meta_refresh", "body", Action.REMOVED, attributes.get("content") or "")
        elif tag == "link":
            self._found("html.style", "body", Action.REMOVED, "link")
        elif tag in _TAGS_ONLY:
            self._found(_TAGS_ONLY[tag], "body", Action.REMOVED, tag)
        elif tag not in _SILENT:
            self._found("html.element", "body", Action.REMOVED, tag)
        shown = "alt" if tag in ("img", "area") else "value" if _shows_value(tag, attributes) else ""
        words = attributes.get(shown)
        if words and words.strip():
            self.out.append(f"［{escape(words.strip(), quote=False)}］" if tag == "img" else escape(words, quote=False))

    def _attributes(self, tag: str, attributes: dict[str, str | None]) -> str:
        kept = []
        for name, given in attributes.items():
            value = given or ""
            if name == "href" and tag == "a":
                if target := self._target(value):
                    kept.append(f' href="{escape(target)}" rel="noopener noreferrer"')
            elif name == "name" and tag == "a" and "id" not in attributes and _NAME.fullmatch(value):
                kept.append(f' id="{escape(value)}"')
            elif name == "style":
                kept.append(self._style(value))
            elif name == "hidden":
                kept.append(" hidden")
            elif name in _LOADING:
                self._found("html.remote_image", "body", Action.REMOVED, f"{tag} {name}")
            elif name in _ATTRIBUTES and ((shape := _ATTRIBUTES[name]) is None or shape.fullmatch(value)):
                kept.append(f' {name}="{escape(value[:1000])}"')
        return "".join(dict.fromkeys(kept))

    def _style(self, value: str) -> str:
        """Inline style: known properties with plain values. What hides an element stays hidden."""
        kept = []
        for item in value.split(";"):
            name, _, setting = item.partition(":")
            name, setting = name.strip().lower(), setting.strip()
            if name in _STYLE and _STYLE_VALUE.fullmatch(setting):
                kept.append(f"{name}:{setting}")
            elif name and not _HIDES.match(item):
                self._found("html.style", "body", Action.REMOVED, name[:40])
        written = f' style="{escape(";".join(kept))}"' if kept else ""
        return written + (" hidden" if _HIDES.search(value) else "")

    def _target(self, href: str) -> str:
        """A link target that may stay: a fragment, a relative path, or an allowed scheme."""
        if self._schemes is None:
            return href
        href = "".join(char for char in href.strip() if char > " " or char == " ").replace(" ", "%20")
        if href.startswith("//") and href[2:3].isalnum() and "https" in self._schemes:
            href = "https:" + href  # next to a file, "//" would mean a file server
        scheme = _SCHEME.match(href)
        if scheme is None and not href.replace("\\", "/").startswith("//") and ":" not in _FIRST_STEP.split(href, maxsplit=1)[0]:
            return href[:2000]
        if scheme is not None and scheme[1].lower() in self._schemes:
            return href[:2000]
        self._found("html.active_link", "body", Action.REMOVED, scheme[0] if scheme else href[:60])
        return ""


def _shows_value(tag: str, attributes: dict[str, str | None]) -> bool:
    return tag == "input" and (attributes.get("type") or "text").lower() not in ("hidden", "password", "checkbox", "radio", "file")


SANITIZER: Final = Sanitizer(
    family="html",
    kinds=frozenset((Kind.HTML,)),
    sanitize=sanitize,
    removes="scripts, event handlers, forms, frames, objects, redirections, style sheets, images, links of other schemes",
    keeps="headings, paragraphs, lists, tables, inline text, harmless inline styles, links by scheme, title, language",
    refuses="documents that nest deeper than 400 elements",
    spec="WHATWG HTML",
)
