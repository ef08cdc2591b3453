"""The look of characters: [MS-DOC] 2.6.1 → w:rPr, ECMA-376 part 1 §17.3.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sanitizers.formats.doc import colours, markup
from sanitizers.formats.doc.sprms import Properties, signed, unpack, unsigned

STYLE, PICTURE, SPECIAL, SYMBOL, OBJECT, OLE2, DATA = 0x4A30, 0x6A03, 0x0855, 0x6A09, 0x0856, 0x080A, 0x0806
INSERTED, DELETED, VANISHED = 0x0801, 0x0800, 0x083C
INSERTED_BY, INSERTED_AT, DELETED_BY, DELETED_AT = 0x4804, 0x6805, 0x4863, 0x6864
PLAIN: Final = 0x2A33
SIZE: Final = 0x4A43

# Properties that a style switches on and that text may turn round. [MS-DOC] 2.9.327 (ToggleOperand).
TOGGLES: Final = {
    0x0835: "b", 0x085C: "bCs", 0x0836: "i", 0x085D: "iCs", 0x083B: "caps", 0x083A: "smallCaps", 0x0837: "strike", 0x2A53: "dstrike",
    0x0838: "outline", 0x0839: "shadow", 0x0858: "emboss", 0x0854: "imprint", VANISHED: "vanish",
}  # fmt: skip
_AS_STYLE, _TURNED = 0x80, 0x81
_UNDERLINES: Final = (
    "none", "single", "words", "double", "dotted", "", "thick", "dash", "", "dotDash", "dotDotDash", "wave", "", "", "", "", "", "", "",
    "", "dottedHeavy", "", "", "dashedHeavy", "", "dashDotHeavy", "dashDotDotHeavy", "wavyHeavy", "", "", "", "", "", "", "", "", "", "",
    "", "dashLong", "", "", "", "wavyDouble", "", "", "", "", "", "", "", "", "", "", "", "dashLongHeavy",
)  # fmt: skip
_EMPHASES: Final = ("none", "dot", "comma", "circle", "underDot")
_PLACES: Final = ("baseline", "superscript", "subscript")
_LANGUAGES: Final = {
    0x0409: "en-US", 0x0809: "en-GB", 0x0411: "ja-JP", 0x0804: "zh-CN", 0x0404: "zh-TW", 0x0412: "ko-KR", 0x0407: "de-DE", 0x040C: "fr-FR",
    0x0410: "it-IT", 0x040A: "es-ES", 0x0C0A: "es-ES", 0x0416: "pt-BR", 0x0419: "ru-RU", 0x0413: "nl-NL", 0x041D: "sv-SE",
}  # fmt: skip
_FONTS: Final = ((0x4A4F, "ascii"), (0x4A50, "eastAsia"), (0x4A51, "hAnsi"), (0x4A5E, "cs"))
_HINT: Final = 0x286F
_LAYOUT: Final = 0xCA78

_Writer = Callable[[bytes], str]


def _measure(name: str, *, factor: int = 1) -> _Writer:
    return lambda operand: markup.value(name, signed(operand) * factor)


def _size(name: str) -> _Writer:
    def write(operand: bytes) -> str:
        size = unsigned(operand)
        return markup.value(name, size) if 2 <= size <= 3276 else ""

    return write


def _named(name: str, names: tuple[str, ...]) -> _Writer:
    def write(operand: bytes) -> str:
        number = unsigned(operand)
        return markup.value(name, names[number]) if number < len(names) and names[number] else ""

    return write


def _switch(name: str) -> _Writer:
    return lambda operand: markup.switch(name, on=unsigned(operand) != 0)


def _palette(operand: bytes) -> str:
    return markup.value("color", colours.indexed(unsigned(operand)))


def _colour(operand: bytes) -> str:
    return markup.value("color", colours.colour(operand))


def _shade(operand: bytes) -> str:
    said = colours.shading(operand)
    return f"<w:shd {said}/>" if said else ""


def _fit(operand: bytes) -> str:
    width, number = unpack("<iI", operand) if len(operand) == 8 else (0, 0)
    return f'<w:fitText w:val="{width}" w:id="{number & 0x7FFFFFFF}"/>' if width > 0 else ""


def _scale(operand: bytes) -> str:
    return markup.value("w", min(max(unsigned(operand), 1), 600))


# In the order of the schema; of two that say the same the later one counts.
_WRITERS: Final[tuple[tuple[str, tuple[tuple[int, _Writer], ...]], ...]] = (
    ("noProof", ((0x0875, _switch("noProof")),)),
    ("snapToGrid", ((0x0868, _switch("snapToGrid")),)),
    ("webHidden", ((0x0811, _switch("webHidden")),)),
    ("color", ((0x2A42, _palette), (0x6870, _colour))),
    ("spacing", ((0x8840, _measure("spacing")),)),
    ("w", ((0x4852, _scale),)),
    ("kern", ((0x484B, _measure("kern")),)),
    ("position", ((0x4845, _measure("position")),)),
    ("sz", ((SIZE, _size("sz")),)),
    ("szCs", ((0x4A61, _size("szCs")),)),
    ("highlight", ((0x2A0C, _named("highlight", colours.HIGHLIGHTS)),)),
    ("u", ((0x2A3E, _named("u", _UNDERLINES)),)),
    ("bdr", ((0x6865, lambda operand: colours.border("bdr", operand)), (0xCA72, lambda operand: colours.border("bdr", operand)))),
    ("shd", ((0x4866, _shade), (0xCA71, _shade))),
    ("fitText", ((0xCA76, _fit),)),
    ("vertAlign", ((0x2A48, _named("vertAlign", _PLACES)),)),
    ("rtl", ((0x085A, _switch("rtl")),)),
    ("cs", ((0x0882, _switch("cs")),)),
    ("em", ((0x2A34, _named("em", _EMPHASES)),)),
)


def write(properties: Properties, fonts: list[str], toggled: Properties, style: str = "") -> str:
    """What stands inside of w:rPr. `toggled`: what the styles around the text switch on; `style`: the id of its own."""
    lines = [markup.value("rStyle", style) if style else "", _fonts(properties, fonts)]
    switched = [number for number in TOGGLES if number in properties and number != VANISHED]
    lines += [_toggle(number, TOGGLES[number], properties[number], toggled) for number in switched]
    for name, writers in _WRITERS:
        if name == "webHidden" and VANISHED in properties:
            lines.append(_toggle(VANISHED, "vanish", properties[VANISHED], toggled))
        said = [writer(properties[number]) for number, writer in writers if number in properties]
        lines.append(next((line for line in reversed(said) if line), ""))
    lines.append(_language(properties))
    lines.append(_east_asian(properties.get(_LAYOUT, b"")))
    return "".join(lines)


def _toggle(number: int, name: str, operand: bytes, toggled: Properties) -> str:
    said = unsigned(operand)
    if said == _AS_STYLE:
        return ""
    if said == _TURNED:
        return markup.switch(name, on=toggled.get(number, b"\0") == b"\0")
    return markup.switch(name, on=said != 0)


def _fonts(properties: Properties, fonts: list[str]) -> str:
    named = [
        f" w:{place}={markup.attribute(fonts[index])}"
        for number, place in _FONTS
        if number in properties and (index := unsigned(properties[number])) < len(fonts) and fonts[index]
    ]
    hint = ' w:hint="eastAsia"' if properties.get(_HINT) == b"\1" else ""
    return f"<w:rFonts{hint}{''.join(named)}/>" if named or hint else ""


def _language(properties: Properties) -> str:
    western = properties.get(0x4873, properties.get(0x486D))
    eastern = properties.get(0x4874, properties.get(0x486E))
    said = "".join(
        f' w:{place}="{_LANGUAGES[unsigned(operand)]}"'
        for place, operand in (("val", western), ("eastAsia", eastern))
        if operand is not None and unsigned(operand) in _LANGUAGES
    )
    return f"<w:lang{said}/>" if said else ""


def _east_asian(operand: bytes) -> str:
    """Two lines in one, horizontal in vertical: [MS-DOC] 2.9.82 (FarEastLayoutOperand)."""
    if len(operand) != 6:
        return ""
    flags, number = unpack("<HI", operand)
    identity = f' w:id="{number & 0x7FFFFFFF}"'
    if flags & 0x01:
        return f'<w:eastAsianLayout{identity} w:vert="1"{" w:vertCompress=" + chr(34) + "1" + chr(34) if flags & 0x1000 else ""}/>'
    if flags & 0x02:
        brackets = ("", "round", "square", "angle", "curly")[min(flags >> 8 & 0x07, 4)]
        around = f' w:combineBrackets="{brackets}"' if brackets else ""
        return f'<w:eastAsianLayout{identity} w:combine="1"{around}/>'
    return ""
