"""Cutting elements out of a tree without losing the text that stands around them."""

from __future__ import annotations

from collections.abc import Iterable

from sanitizers.xml import Element


def attached(element: Element, root: Element) -> bool:
    """Still below `root`, not in a branch that was cut off before."""
    return element is root or element.getroottree().getroot() is root


def remove(element: Element) -> None:
    """The element and all below it; the text after it stays."""
    replace(element, ())


def unwrap(element: Element) -> None:
    """The element only; its text and children take its place."""
    inside = element.text
    if inside:
        _add_text_before(element, inside)
    replace(element, list(element))


def replace(element: Element, others: Iterable[Element]) -> None:
    """Put others, with their own tails, where the element was."""
    parent = element.getparent()
    at = parent.index(element)
    tail = element.tail
    element.tail = None
    parent.remove(element)
    last = None
    for offset, other in enumerate(others):
        parent.insert(at + offset, other)
        last = other
    if not tail:
        return
    if last is not None:
        last.tail = (last.tail or "") + tail
    elif at:
        parent[at - 1].tail = (parent[at - 1].tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail


def enclosing(element: Element, names: frozenset[str]) -> Element | None:
    """The nearest ancestor, or the element itself, that has one of these names."""
    while element is not None and element.tag not in names:
        element = element.getparent()
    return element


def _add_text_before(element: Element, text: str) -> None:
    previous = element.getprevious()
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    else:
        parent = element.getparent()
        parent.text = (parent.text or "") + text
