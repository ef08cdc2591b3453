"""Cutting elements out of a tree without losing the text that stands around them."""

from __future__ import annotations

from collections.abc import Iterable

from sanitizers.xml import Element


def attached(element: Element, root: Element) -> bool:
    """Still below `root`, not in a branch that was cut off before."""
    while element is not None:
        if element is root:
            return True
        element = element.getparent()
    return False


def remove(element: Element) -> None:
    """The element and all below it; the text after it stays."""
    replace(element, ())


def unwrap(element: Element) -> None:
    """The element only; its text and children take its place."""
    if element.text:
        _append_text(element.getprevious(), element.getparent(), element.text)
    replace(element, list(element))


def replace(element: Element, others: Iterable[Element]) -> None:
    """Put others, with their own tails, where the element was."""
    tail, element.tail = element.tail, None
    for other in others:
        element.addprevious(other)
    previous, parent = element.getprevious(), element.getparent()
    parent.remove(element)
    if tail:
        _append_text(previous, parent, tail)


def enclosing(element: Element, names: frozenset[str]) -> Element | None:
    """The nearest ancestor, or the element itself, that has one of these names."""
    while element is not None and element.tag not in names:
        element = element.getparent()
    return element


def _append_text(previous: Element | None, parent: Element, text: str) -> None:
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
