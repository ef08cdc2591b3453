"""Web archives (.mht, .mhtml): the page in it, rebuilt as an HTML file.

Removes: the archive around the page, its pictures, style sheets, frames and scripts; what the page's own sanitizer removes
Keeps: the page, as the sanitizer of HTML makes it
Refuses: archives without a page, or that nest deeper than 16 parts
Spec: RFC 2557 (MHTML), RFC 2387 (multipart/related)
"""

from __future__ import annotations

import email.parser
from collections.abc import Iterator
from email import policy
from email.message import Message
from typing import Any, Final

from sanitizers import charset, names
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Forbidden, Kind, Malformed, Unsupported
from sanitizers.source import Source

_DEEPEST: Final = 16
_PAGES: Final = ("text/html", "application/xhtml+xml")
_BOM: Final = b"\xef\xbb\xbf"


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, and what became of the page."""
    data = source.bytes()
    context.budget.spend_bytes(len(data))
    parts = list(_leaves(_read(data), 0))
    page = next((part for part in parts if part.get_content_type() in _PAGES), None)
    if page is None:
        raise Malformed("web archive without a page")
    for part in parts:
        if part is not page:
            context.found("mht.part", str(part.get("Content-Location", ""))[:200], Action.REMOVED, part.get_content_type())
    raw = page.get_payload(decode=True)
    decoded = charset.decode_html(raw if isinstance(raw, bytes) else b"", page.get_param("charset") if _plain(page) else None)
    name = names.with_extension(context.name, Kind.HTML)
    outcome = context.embed(name, _BOM + decoded.text.encode("utf-8", "replace"), name)
    made = outcome.report.output.kind if outcome.report.output else Kind.UNKNOWN
    if outcome.content is None or made not in (Kind.HTML, Kind.TEXT):
        refusal = Forbidden if outcome.report.verdict == "blocked" else Unsupported
        raise refusal("the page in it cannot be delivered", where=name)
    context.found("mht.converted", "", Action.REWRITTEN)
    return Rebuilt(outcome.content, made)


def _read(data: bytes) -> Any:
    try:
        return email.parser.BytesParser(policy=policy.compat32).parsebytes(data)
    except RecursionError:  # the parser follows parts inside parts by recursion
        raise Malformed("parts nested too deep to be read") from None


def _plain(part: Message) -> bool:
    """A parameter of RFC 2231 comes as three strings."""
    return isinstance(part.get_param("charset"), str)


def _leaves(part: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise Malformed(f"parts nested deeper than {_DEEPEST}")
    if part.is_multipart():
        for inner in part.get_payload():
            yield from _leaves(inner, depth + 1)
    else:
        yield part


SANITIZER: Final = Sanitizer(
    family="mht",
    kinds=frozenset({Kind.MHT}),
    sanitize=sanitize,
    removes="the archive around the page, its pictures, style sheets, frames and scripts",
    keeps="the page, as HTML",
    refuses="archives without a page",
    spec="RFC 2557",
)
