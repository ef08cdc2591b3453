"""Tags of a large document, read off its bytes: which are of a known harmless form, and where all others stand.

The form of a tag is its name and the names of its attributes, in their order. A document of a million tags has some dozens of forms. Each
is looked up once, in the vocabulary that also decides in a tree; one pattern of those that passed then finds every tag that is not of such
a form. That is a proof, because nothing is skipped: in a well-formed document without CDATA, comments and instructions every "<" begins a
tag; a prefix means what the root binds it to, because a tag with a declaration of its own is of no form; and a form is matched with
all its quotes and blanks, with values that hold no reference and no blank but the space. A tag with references is looked at by itself.

What is found in this way is written just as `xml.serialize` would write it, so a stretch without other tags needs no tree at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

_XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace"
_NAME: Final = rb"[A-Za-z_][\w.-]*"
_QUALIFIED: Final = rb"(?:%b:)?%b" % (_NAME, _NAME)
_VALUE: Final = rb'[^"<>&\t\n\r]*(?:&(?:amp|lt|gt|quot);[^"<>&\t\n\r]*)*'      # as it is written
_TAG: Final = re.compile(rb'<(%b)((?: %b="%b")*)(/?)>' % (_QUALIFIED, _QUALIFIED, _VALUE))
_ATTRIBUTE: Final = re.compile(rb' (%b)="([^"]*)"' % _QUALIFIED)
_DECLARATION: Final = re.compile(rb"""\sxmlns(?::(%b))?\s*=\s*(?:"([^"<&]*)"|'([^'<&]*)')""" % _NAME)
_REFERENCES: Final = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&amp;", b"&"))
PLAIN_VALUE: Final = rb'[^"<>&\t\n\r]{0,512}+'
# Text that would be written in another way, by its sign.
_UNUSUAL: Final = {b"&": re.compile(rb"&(?!(?:amp|lt|gt);)"), b"\r": re.compile(rb"\r")}
_NO_ELEMENT: Final = (b"</", b"<!", b"<?")
_BRACKET: Final = re.compile(rb">[^<>]*(?=>)")
_SAMPLES: Final = 32
_SAMPLE: Final = 1 << 12           # bytes
_MOST_OF_ONE_NAME: Final = 24      # forms; each is tried at each tag of that name
_MOST_PATTERNS: Final = 16
_MOST_OTHERS: Final = 100_000
_LONGEST_TEXT: Final = 4 << 20     # bytes; the parser that makes trees stops at ten million


class Harmless(NamedTuple):
    """What makes a form harmless, names in Clark notation.

    `value`: the pattern of an attribute's harmless values, `PLAIN_VALUE` or a stricter one; None for an attribute that is not harmless.
    `judged`: attributes whose values `judge` decides on, tag by tag.
    """

    elements: frozenset[str]
    value: Callable[[str, bool], bytes | None]      # (name, the tag is an empty element)
    judged: frozenset[str] = frozenset()
    judge: Callable[[dict[str, str]], bool] | None = None


class _Form(NamedTuple):
    name: bytes
    attributes: tuple[bytes, ...]
    empty: bool


class _Known(NamedTuple):
    """What is known of a form. `kind`: "by form", "by value" or "other"; of its attributes, in order, name and pattern, None if judged."""

    kind: str
    values: tuple[tuple[str, bytes | None], ...] = ()


_OTHER: Final = _Known("other")


class Tags:
    """The tags of one document. `root`: its first tag, whose declarations hold for all."""

    def __init__(self, root: bytes, harmless: Harmless) -> None:
        self._harmless = harmless
        self._spaces: dict[bytes, str] = {b"xml": _XML_SPACE, b"": ""}
        for prefix, quoted, other in _DECLARATION.findall(root):
            self._spaces[prefix] = (quoted or other).decode("utf-8", "replace")
        self._forms: dict[_Form, _Known] = {}
        self._tails: dict[bytes, list[bytes]] = {}        # name → what may follow it
        self._patterns = 0
        self._pattern = re.compile(rb"<(?!/%b>)" % _QUALIFIED)

    def others(self, data: bytes, start: int, end: int) -> list[int] | None:
        """Where tags, references and signs stand that are not just copied, in order; None if they are too many or too odd."""
        self._learn_samples(data, start, end)
        unusual = [_in_text(pattern, data, start, end) for sign, pattern in _UNUSUAL.items() if sign in data]
        found = list(islice(merge(self._tags(data, start, end), *unusual, self._texts(data, start, end)), _MOST_OTHERS))
        odd = any(data.startswith(_NO_ELEMENT, place) for place in found)     # comments and the like, or ends with blanks in them
        return None if odd or len(found) == _MOST_OTHERS else found

    @property
    def prefixes(self) -> frozenset[str]:
        """Of namespaces: those of the harmless tags that were seen."""
        spelled = (name for form, known in self._forms.items() if known is not _OTHER for name in (form.name, *form.attributes))
        return frozenset(name.partition(b":")[0].decode() for name in spelled if b":" in name) - {"xml"}

    def is_by_form(self, data: bytes, place: int) -> bool:
        """The tag at this place is of a harmless form."""
        tag = _TAG.match(data, place)
        return tag is not None and self._known(_form(tag)).kind == "by form"

    def _tags(self, data: bytes, start: int, end: int) -> Iterator[int]:
        at = start
        while found := self._pattern.search(data, at, end):
            at = found.start()
            tag = _TAG.match(data, at)
            if tag is not None and self._learn(tag, data, end):
                continue      # the new pattern looks at the same place
            if tag is None or not self._passes(tag, data):
                yield at
            at += 1

    def _texts(self, data: bytes, start: int, end: int) -> Iterator[int]:
        """Text that is very long, or has a ">" of its own."""
        for at in range(start, end - _LONGEST_TEXT, _LONGEST_TEXT):
            if data.find(b"<", at, at + _LONGEST_TEXT) < 0:
                yield at
        if data.count(b"<", start, end) != data.count(b">", start, end):
            yield from (found.end() for found in _BRACKET.finditer(data, start, end))

    def _passes(self, tag: re.Match[bytes], data: bytes) -> bool:
        """A tag that is written as it is read, with harmless values."""
        if not tag[3] and data.startswith(b"</", tag.end()):
            return False
        attributes = _ATTRIBUTE.findall(tag[2])
        known = self._known(_Form(tag[1], tuple([name for name, _ in attributes]), bool(tag[3])))
        if known is _OTHER:
            return False
        judged: dict[str, str] = {}
        for (name, pattern), (_, value) in zip(known.values, attributes, strict=True):
            if pattern is None:
                judged[name] = _text(value)
            elif pattern is not PLAIN_VALUE and not re.fullmatch(pattern, value):
                return False
        return not judged or (self._harmless.judge is not None and self._harmless.judge(judged))

    # learning forms

    def _learn_samples(self, data: bytes, start: int, end: int) -> None:
        step = max((end - start) // _SAMPLES, _SAMPLE)
        counted = Counter(tag[0] for at in range(start, end, step) for tag in _TAG.finditer(data, at, min(at + _SAMPLE, end)))
        found = [self._take(_TAG.match(spelled)) for spelled, _ in counted.most_common()]
        if any(found):
            self._compile()

    def _learn(self, tag: re.Match[bytes], data: bytes, end: int) -> bool:
        """Take the forms of this and following tags; False if the first of them is known, or no more are to be learned."""
        if self._patterns >= _MOST_PATTERNS or not self._take(tag):
            return False
        for following in _TAG.finditer(data, tag.end(), min(tag.end() + (_SAMPLE << 4), end)):
            self._take(following)
        self._compile()
        return True

    def _take(self, tag: re.Match[bytes] | None) -> bool:
        """A form that is new and harmless."""
        if tag is None or (form := _form(tag)) in self._forms or (known := self._known(form)).kind != "by form":
            return False
        patterns = (pattern or PLAIN_VALUE for _, pattern in known.values)
        spelled = b"".join(b' %b="%b"' % (re.escape(name), value) for name, value in zip(form.attributes, patterns, strict=True))
        tails = self._tails.setdefault(form.name, [])
        tails.append(spelled + (b"/>" if form.empty else b">(?!</)"))    # one without content is written as an empty element
        return True

    def _compile(self) -> None:
        self._patterns += 1
        names = (re.escape(name) + b"(?:" + b"|".join(tails) + b")" for name, tails in self._tails.items())
        self._pattern = re.compile(b"<(?!/%b>|(?:%b))" % (_QUALIFIED.replace(b"*", b"*+"), b"|".join(names)))

    def _known(self, form: _Form) -> _Known:
        known = self._forms.get(form)
        if known is None:
            full = len(self._tails.get(form.name, ())) >= _MOST_OF_ONE_NAME
            known = self._forms[form] = _OTHER if full else self._looked_up(form)
        return known

    def _looked_up(self, form: _Form) -> _Known:
        names = [self._clark(name, "") for name in form.attributes]
        if len({*names}) < len(names) or self._clark(form.name, self._spaces[b""]) not in self._harmless.elements:
            return _OTHER
        values = tuple((name, None if name in self._harmless.judged else self._harmless.value(name, form.empty)) for name in names)
        if any(pattern is None and name not in self._harmless.judged for name, pattern in values):
            return _OTHER
        return _Known("by form" if self._harmless.judged.isdisjoint(names) else "by value", values)

    def _clark(self, spelled: bytes, default: str) -> str:
        prefix, colon, local = spelled.rpartition(b":")
        space = self._spaces.get(prefix, "?") if colon else default
        return f"{{{space}}}{local.decode()}" if space else local.decode()


def _in_text(pattern: re.Pattern[bytes], data: bytes, start: int, end: int) -> Iterator[int]:
    """Where it matches outside of tags: what stands in a tag was looked at with the tag. Nothing is walked over twice."""
    inside, at = False, start
    for found in pattern.finditer(data, start, end):
        opened, closed = data.rfind(b"<", at, found.start()), data.rfind(b">", at, found.start())
        inside = opened > closed if opened != closed else inside
        at = found.start()
        if not inside:
            yield at


def _text(value: bytes) -> str:
    if b"&" in value:
        for reference, sign in _REFERENCES:
            value = value.replace(reference, sign)
    return value.decode("utf-8", "replace")


def _form(tag: re.Match[bytes]) -> _Form:
    return _Form(tag[1], tuple(name for name, _ in _ATTRIBUTE.findall(tag[2])), bool(tag[3]))
