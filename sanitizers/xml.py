"""The only XML reader a format may use: elements, attributes and text; no DTD, no entities, no network, no comments, no instructions.

`parse` refuses every document type declaration, in whatever encoding it is written, because entities are the one part of XML whose
meaning readers disagree about (XXE, billion laughs). libxml2 itself stops at names, texts and amplification beyond its own limits;
the depth of elements is limited here. `serialize` writes what is left anew, so nothing of the input's spelling survives.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Malformed

DEPTH_LIMIT: Final = 256             # elements; libxml2's own limit without `huge_tree`
_TREE_COST: Final = 10               # bytes of tree for each byte of dense XML, measured on worksheets of one-digit cells

Element = Any                        # lxml.etree._Element has no public name and no types

_NO_MEMORY: Final = 2                # XML_ERR_NO_MEMORY


def parse(data: bytes, budget: Budget | None = None, where: str = "") -> Element:
    """The root element. The bytes themselves were counted by whoever inflated them; `budget` limits what their tree may weigh.

    Raises Malformed `xml.dtd` for any DOCTYPE, `xml.malformed` for anything that is not well-formed or deeper than 256 elements,
    and LimitExceeded.
    """
    if budget is not None and len(data) * _TREE_COST > budget.limits.memory_bytes:
        raise LimitExceeded(f"{len(data)} bytes of XML in one part", where=where)
    # A parser of its own for every document: nothing is shared between two inputs, not even a dictionary of names.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if _has_doctype(data):
            raise Malformed("document type declaration", where=where, code="xml.dtd") from None
        raise Malformed(_sentence(error), where=where, code="xml.malformed") from None
    except (ValueError, LookupError, UnicodeError) as error:   # encodings that libxml2 does not know, NUL in names
        raise Malformed(str(error)[:200], where=where, code="xml.malformed") from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise Malformed("document type declaration", where=where, code="xml.dtd")
    return root


def check(data: bytes, where: str = "") -> None:
    """`parse` without a tree: raises Malformed for what is not well-formed, at a quarter of the cost.

    It is the same parser, so it knows the same documents, but it looks after neither the declarations of prefixes nor the length of
    a single text: those are up to who copies without a tree.
    """
    parser = etree.XMLParser(target=_Nothing(), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(_sentence(error), where=where, code="xml.dtd" if _has_doctype(data) else "xml.malformed") from None
    except (ValueError, LookupError, UnicodeError) as error:
        raise Malformed(str(error)[:200], where=where, code="xml.malformed") from None


class _Nothing:
    """Takes no event of the parser."""

    def close(self) -> None:
        """The end of the document."""


def serialize(element: Element) -> bytes:
    """A whole document in UTF-8 with its declaration, the same for the same tree."""
    written: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=True, standalone=True, with_tail=False)
    return written


def _has_doctype(data: bytes) -> bool:
    """Only to name the refusal: the broken document has a DOCTYPE in one of the encodings that Office and browsers read."""
    head = data[:4096]
    return b"<!DOCTYPE" in head.replace(b"\0", b"")


def _sentence(error: Any) -> str:
    """libxml2's words for the first error, without any file name."""
    return f"line {error.lineno}: {(error.msg or 'not well-formed')[:160]}"
