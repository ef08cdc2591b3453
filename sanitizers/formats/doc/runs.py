"""What stands inside of paragraphs: text and the characters that mean something else. [MS-DOC] 2.4.1 → w:r, ECMA-376 part 1 §17.3."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from sanitizers.formats.doc import characters, forms, markup
from sanitizers.formats.doc.document import Document, Look
from sanitizers.formats.doc.drawings import Spot
from sanitizers.formats.doc.fields import GONE, INSTRUCTION, Fields, Ruby
from sanitizers.formats.doc.sprms import unpack, unsigned
from sanitizers.formats.doc.text import joined
from sanitizers.formats.office.package import Relations
from sanitizers.model import Action

_SPECIAL: Final = re.compile(r"[\x00-\x1f]")
_UNEASY: Final = re.compile("[\x00-\x1f&<>\ud800-\udfff\ufffe\uffff]")  # what XML does not hold as it is
_PLAIN: Final = {"\t": "<w:tab/>", "\x0b": "<w:br/>", "\x0e": '<w:br w:type="column"/>', "\x0c": '<w:br w:type="page"/>',
                 "\x1e": "<w:noBreakHyphen/>", "\x1f": "<w:softHyphen/>"}  # fmt: skip
_PICTURE, _NOTE, _COMMENT, _SHAPE, _BEGIN = "\x01", "\x02", "\x05", "\x08", "\x13"
_RUBY_PLACES: Final = ("center", "distributeLetter", "distributeSpace", "left", "right")


class Runs:
    """Writes the runs of one story into one part. `own`: the element that repeats a note's mark, in notes."""

    def __init__(self, document: Document, relations: Relations, found: Fields, own: str = "") -> None:
        self._document = document
        self._relations = relations
        self._fields = found
        self._own = own
        self._units = document.text.units
        self._context = document.context
        self._kept = document.context.treatment.comments_kept

    def write(self, start: int, end: int, style: int) -> str:
        """The runs from one place up to another, with the marks between; `style` of the paragraph."""
        table = self._document.characters
        marks = self._document.marks_between(start, end)
        lines: list[str] = []
        index, at, seen = table.index(start), start, 0
        if not marks and self._is_text(start, end):
            return self._bare(index, start, end, style)
        while at < end:
            stop = table.starts[index + 1] if index + 1 < len(table.starts) else end
            stop = min(stop, end)
            look = self._document.look(table.grpprls[index], style)
            while seen < len(marks) and marks[seen].place < stop:
                mark = marks[seen]
                lines += (self._run(at, mark.place, look), mark.xml)
                at = mark.place
                seen += 1
            lines.append(self._run(at, stop, look))
            at = stop
            index += 1
        return "".join(lines)

    def _is_text(self, start: int, end: int) -> bool:
        """Nothing but text that XML holds as it is."""
        return not _UNEASY.search(self._units, start, end) and self._is_unmarked(start, end)

    def _bare(self, index: int, start: int, end: int, style: int) -> str:
        """What most paragraphs are."""
        table, look, units = self._document.characters, self._document.look, self._units
        stop = bisect_left(table.starts, end, index + 1)
        places = (start, *table.starts[index + 1 : stop], end)
        lines: list[str] = []
        for grpprl, first, last in zip(table.grpprls[index:stop], places, places[1:], strict=False):
            found = look(grpprl, style)
            lines.append(f"{found.head}{units[first:last]}</w:t></w:r>" if found.head else self._run(first, last, found))
        return "".join(lines) if start < end else ""

    def _run(self, start: int, end: int, look: Look) -> str:
        if start >= end:
            return ""
        symbol = look.properties.get(characters.SYMBOL)
        if symbol is not None and len(symbol) == 4 and self._fields.plain(start, end) and self._units[start:end].strip("\r\x07\x0c"):
            inside = self._symbol(symbol) * (end - start)
        elif self._is_plain(start, end):
            said = self._units[start:end]
            inside = markup.text("t", joined(said)) if _UNEASY.search(said) else f'<w:t xml:space="preserve">{said}</w:t>'
        else:
            inside = self._pieces(start, end, look)
        return self._wrapped(inside, look)

    def _is_plain(self, start: int, end: int) -> bool:
        """Nothing but text: no field, no control, no reference with a mark of its own."""
        return not _SPECIAL.search(self._units, start, end) and self._is_unmarked(start, end)

    def _is_unmarked(self, start: int, end: int) -> bool:
        if not self._fields.plain(start, end):
            return False
        marked = self._document.marked_notes
        return not marked or bisect_left(marked, start) == bisect_left(marked, end)

    def _symbol(self, operand: bytes) -> str:
        index, character = unpack("<HH", operand)
        fonts = self._document.styles.fonts
        font = f" w:font={markup.attribute(fonts[index])}" if index < len(fonts) else ""
        return f'<w:sym{font} w:char="{character:04X}"/>'

    def _wrapped(self, inside: str, look: Look) -> str:
        """`inside` may hold runs of its own, each between a closing and an opening tag."""
        if not inside:
            return ""
        head = f"<w:r><w:rPr>{look.xml}</w:rPr>" if look.xml else "<w:r>"
        if look.deleted or look.inserted:
            if not self._kept:
                self._context.found("doc.comments", "", Action.REMOVED)
                return "" if look.deleted else f"{head}{inside}</w:r>"
            if look.deleted:
                inside = inside.replace("<w:t ", "<w:delText ").replace("</w:t>", "</w:delText>")
                inside = inside.replace("<w:instrText ", "<w:delInstrText ").replace("</w:instrText>", "</w:delInstrText>")
                run = f"<w:del {self._document.change(look, deleted=True)}>{head}{inside}</w:r></w:del>"
            else:
                run = f"{head}{inside}</w:r>"
            return f"<w:ins {self._document.change(look, deleted=False)}>{run}</w:ins>" if look.inserted else run
        return f"{head}{inside}</w:r>"

    def _pieces(self, start: int, end: int, look: Look) -> str:
        """Text that is cut by fields, notes and characters that are none."""
        lines: list[str] = []
        text: list[str] = []
        tag = "t"
        for place in range(start, end):
            one, fate = self._units[place], self._fields.fate(place)
            wanted = "instrText" if fate == INSTRUCTION else "t"
            special = self._special(place, one, look) if fate != INSTRUCTION and self._is_special(place, one, fate) else None
            if special is not None or wanted != tag:
                lines.append(markup.text(tag, joined("".join(text))))
                text, tag = [], wanted
            if special is not None:
                lines.append(special)
            elif fate != GONE and one >= " ":
                text.append(one)
        lines.append(markup.text(tag, joined("".join(text))))
        return "".join(lines)

    def _is_special(self, place: int, one: str, fate: int) -> bool:
        if fate == GONE:
            return place in self._fields.marks or place in self._fields.rubies
        return one < " " or place in self._document.footnotes or place in self._document.endnotes

    def _special(self, place: int, one: str, look: Look) -> str:  # noqa: PLR0911 - one for each kind of character
        if (ruby := self._fields.rubies.get(place)) is not None:
            return self._ruby(ruby)
        if (mark := self._fields.marks.get(place)) is not None:
            return self._field(place, mark)
        if place in self._document.footnotes or place in self._document.endnotes:
            return self._note(place, one)
        if one == _NOTE:
            return self._own
        if one == _PICTURE:
            return self._picture(look)
        if one == _SHAPE:
            return self._shape(place)
        if one == _COMMENT:
            return self._comment(place)
        return _PLAIN.get(one, "")

    def _field(self, place: int, mark: str) -> str:
        form = ""
        if mark == "begin" and self._units[place + 1 : place + 16].strip().upper().startswith("FORM"):
            form = self._form(place)
        return f'<w:fldChar w:fldCharType="{mark}">{form}</w:fldChar>' if form else f'<w:fldChar w:fldCharType="{mark}"/>'

    def _form(self, place: int) -> str:
        """The data of a form field stand behind a character of its instruction."""
        at = self._units.find(_PICTURE, place, place + 256)
        if at < 0 or self._fields.fate(at) != INSTRUCTION:
            return ""
        table = self._document.characters
        look = self._document.look(table.grpprls[table.index(at)], 0)
        if not unsigned(look.properties.get(characters.DATA, b"\0")) or characters.PICTURE not in look.properties:
            return ""
        made, named = forms.write(self._document.streams.data, unsigned(look.properties[characters.PICTURE]))
        if named:
            self._context.found("doc.form_field", "", Action.REMOVED)
        return made

    def _note(self, place: int, one: str) -> str:
        """A reference; a mark of its own follows it."""
        kind, notes = ("footnote", self._document.footnotes) if place in self._document.footnotes else ("endnote", self._document.endnotes)
        note = notes[place]
        if one == _NOTE:
            return f'<w:{kind}Reference w:id="{note.number}"/>'
        follows = markup.text("t", joined(one)) if one >= " " else ""
        return f'<w:{kind}Reference w:customMarkFollows="1" w:id="{note.number}"/>{follows}'

    def _comment(self, place: int) -> str:
        comment = self._document.comments.get(place)
        if comment is None:
            return ""
        if not self._kept:
            self._context.found("doc.comments", "", Action.REMOVED)
            return ""
        return f'<w:commentReference w:id="{comment.note.number}"/>'

    def _picture(self, look: Look) -> str:
        properties = look.properties
        if characters.PICTURE not in properties or not look.special:
            return ""
        if unsigned(properties.get(characters.DATA, b"\0")):
            return ""
        if unsigned(properties.get(characters.OLE2, b"\0")):
            self._context.found("doc.object", "object", Action.REWRITTEN, "its picture stays")
            return ""
        if unsigned(properties.get(characters.OBJECT, b"\0")):
            self._context.found("doc.object", "object", Action.REWRITTEN, "its picture stays")
        return self._document.drawings.inline(unsigned(properties[characters.PICTURE]), self._relations)

    def _shape(self, place: int) -> str:
        found = self._document.anchors.get(place)
        if found is None:
            return ""
        anchor, header = found
        return self._document.drawings.floating(Spot(anchor, header, self._relations))

    def _ruby(self, ruby: Ruby) -> str:
        table = self._document.characters
        base = self._document.look(table.grpprls[table.index(ruby.at)], 0)
        size = unsigned(base.properties.get(characters.SIZE, b"\x15\0"))
        place = _RUBY_PLACES[ruby.alignment] if ruby.alignment < len(_RUBY_PLACES) else "center"
        head = (
            f'<w:rubyPr><w:rubyAlign w:val="{place}"/><w:hps w:val="{ruby.size}"/><w:hpsRaise w:val="{ruby.rise}"/>'
            f'<w:hpsBaseText w:val="{size}"/><w:lid w:val="ja-JP"/></w:rubyPr>'
        )
        font = markup.attribute(ruby.font)
        fonts = f"<w:rFonts w:ascii={font} w:eastAsia={font} w:hAnsi={font}/>" if ruby.font else ""
        look_above = f'<w:rPr>{fonts}<w:sz w:val="{ruby.size}"/></w:rPr>'
        above = f"<w:rt><w:r>{look_above}{markup.text('t', ruby.guide)}</w:r></w:rt>"
        below = f"<w:rubyBase><w:r><w:rPr>{base.xml}</w:rPr>{markup.text('t', ruby.base)}</w:r></w:rubyBase>"
        return f"<w:ruby>{head}{above}{below}</w:ruby>"
