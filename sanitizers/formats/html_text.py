"""The words of a page that we rebuilt ourselves, as plain text: one line for each block, links with their target behind them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_LINES: Final = frozenset(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer header hgroup hr li main nav section "
    "summary tbody tfoot thead tr".split()
)
_PARAGRAPHS: Final = frozenset("h1 h2 h3 h4 h5 h6 ol p pre table ul".split())
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
# What would make a page of the text again.
_TAG: Final = re.compile(r"<(?=[A-Za-z!/?])")


def words(rebuilt: str, title: str) -> str:
    """Lines end with CRLF. `rebuilt`: by the sanitizer, its tags closed and its attributes quoted."""
    page = _Page()
    page.feed(rebuilt.partition("<body>")[2])
    page.close()
    lines = [line.strip(" ") for line in "".join(page.out).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join([title, "", *lines] if title else lines)).strip("\n")
    return _TAG.sub("＜", text).replace("\n", "\r\n") + "\r\n"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._targets: list[tuple[str, int]] = []      # of open links, and where their words begin in `out`
        self._kept = 0                                 # open elements that keep their line ends
        self._hidden = ""                              # the outermost element that nobody sees …
        self._inside = 0                               # … and how many of its name are open in it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._hidden or ("hidden" in given and tag not in ("br", "hr", "col", "wbr")):
            self._hidden = self._hidden or tag
            self._inside += tag == self._hidden
            return
        self._break(tag)
        if tag == "li":
            self.out.append("・")
        elif tag in ("td", "th"):
            self.out.append(" ")
        elif tag == "a":
            self._targets.append((given.get("href") or "", len(self.out)))
        self._kept += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._inside -= tag == self._hidden
            self._hidden = self._hidden if self._inside else ""
            return
        if tag == "a" and self._targets:
            target, start = self._targets.pop()
            if target and not target.startswith("#") and target not in "".join(self.out[start:]):
                self.out.append(f"（{target}）")
        self._kept -= tag == "pre"
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.out.append(data if self._kept else _BLANKS.sub(" ", data))

    def _break(self, tag: str) -> None:
        if tag in _LINES or tag in _PARAGRAPHS:
            self.out.append("\n\n" if tag in _PARAGRAPHS else "\n")
