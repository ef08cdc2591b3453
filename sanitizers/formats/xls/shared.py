"""The texts that cells show: only those that a cell asks for get out of the old table. ECMA-376 part 1 §18.4."""

from __future__ import annotations

from sanitizers.formats.xls import markup
from sanitizers.formats.xls.strings import Text
from sanitizers.formats.xls.styles import Styles
from sanitizers.model import Malformed


class SharedStrings:
    """`uses`: how many cells show one of them, which those who ask for numbers of the old table count."""

    def __init__(self, given: tuple[Text, ...], styles: Styles) -> None:
        self._given = given
        self._styles = styles
        self._indexes: dict[int, int] = {}
        self._texts: dict[str, int] = {}
        self._items: list[str] = []
        self.uses = 0

    def index(self, number: int) -> int:
        """The new number of a text of the old table. Raises Malformed."""
        found = self._indexes.get(number)
        if found is None:
            if number >= len(self._given):
                raise Malformed("a text that does not exist", code="xls.malformed")
            found = self._indexes[number] = self._add(self._item(self._given[number]))
        return found

    def index_of_text(self, text: str) -> int:
        """The place of a text without runs; it is counted as used."""
        self.uses += 1
        if text not in self._texts:
            self._texts[text] = self._add(markup.element("t", text))
        return self._texts[text]

    def xml(self) -> str:
        inside = "".join(f"<si>{item}</si>" for item in self._items)
        counts = f'count="{self.uses}" uniqueCount="{len(self._items)}"'
        return f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" {counts}>{inside}</sst>'

    def _add(self, item: str) -> int:
        self._items.append(item)
        return len(self._items) - 1

    def _item(self, text: Text) -> str:
        units = text.plain.encode("utf-16-le", "surrogatepass")
        guides = "".join(
            f'<rPh sb="{p.start}" eb="{p.end}">{markup.element("t", p.text)}</rPh>' for p in text.phonetics if p.end * 2 <= len(units)
        )
        guides += '<phoneticPr fontId="0"/>' if guides else ""
        runs = [(at, font) for at, font in text.runs if 2 * at < len(units)]
        if not runs:
            return markup.element("t", text.plain) + guides
        ends = [*(at for at, _ in runs[1:]), len(units) // 2]
        pieces = [f"<r>{markup.element('t', _part(units, 0, runs[0][0]))}</r>"] if runs[0][0] else []
        for (at, font), end in zip(runs, ends, strict=True):
            if end > at:
                look = self._styles.fonts[self._styles.font_index(font)].replace("<name ", "<rFont ") if self._styles.fonts else ""
                pieces.append(f"<r><rPr>{look}</rPr>{markup.element('t', _part(units, at, end))}</r>")
        return "".join(pieces) + guides


def _part(units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le", "replace")
