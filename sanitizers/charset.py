"""Bytes into text by evidence first and label second, Japanese first; and text into bytes again.

Labels lie (`iso-2022-jp` over raw Shift_JIS, `us-ascii` over UTF-8), have a hundred spellings (`cp50221`, `x-sjis`, `ks_c_5601`),
or name something that no table knows. None of this may lose a character that the bytes really hold, and nothing here ever raises.
What cannot be known becomes 〓 and is counted. UTF-7 is read only where the label says so: it hides `<` from everyone else.
"""

from __future__ import annotations

import codecs
import re
from encodings import aliases as _aliases
from typing import Final, NamedTuple

from sanitizers.jis import EVIDENCE, GETA, Run, decode_euc, decode_jis, encode_euc, encode_jis


class Decoded(NamedTuple):
    """The text, the name of the encoding it was read as, and how many characters are 〓 because their bytes mean nothing."""

    text: str
    charset: str
    replaced: int


# Python codecs that may be named by a label. Loaded here, once: in the jail no codec module can be opened any more.
_CODECS: Final = (
    "ascii", "utf_8", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be", "utf_7",
    "cp932", "euc_jp", "shift_jis_2004", "euc_jis_2004", "gb18030", "hz", "big5hkscs", "cp949", "johab", "iso2022_kr",
    "latin_1", *(f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *(f"cp125{page}" for page in range(9)), "cp437", "cp850", "cp852", "cp866", "cp874", "koi8_r", "koi8_u", "mac_roman", "tis_620",
)  # fmt: skip

JIS: Final = "iso-2022-jp"

# Label without case and punctuation -> codec. Supersets stand for what they extend, as every mail program and browser does.
_EXTRA: Final = {
    "cp932": (
        "shiftjis", "sjis", "xsjis", "mskanji", "csshiftjis", "windows31j", "cswindows31j", "mssjis", "shiftjisms", "xmscp932",
        "ms932", "windows932", "sjiswin", "cp943", "ibm943", "xshiftjis", "shiftjisdocomo", "sjisms",
    ),
    "euc_jp": ("eucjp", "xeucjp", "ujis", "eucjpms", "cp51932", "eucjpwin", "cseucpkdfmtjapanese", "eucjpascii"),
    JIS: (
        "iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jp3", "iso2022jpext", "iso2022jp2004", "iso2022jpms", "csiso2022jp",
        "cp50220", "cp50221", "cp50222", "jis", "jis7", "jiskana", "iso2022", "csiso2022jp2", "50220", "50221", "xiso2022jp",
    ),
    "gb18030": ("gb2312", "gbk", "cp936", "ms936", "windows936", "euccn", "gb231280", "csgb2312", "xgbk", "csiso58gb231280", "gb"),
    "big5hkscs": ("big5", "csbig5", "xbig5", "cp950", "big5hkscs", "big5tw", "cnbig5"),
    "cp949": ("ksc5601", "ksc56011987", "euckr", "ksc56011989", "uhc", "windows949", "korean", "cseuckr", "isoir149", "ms949"),
    "cp1252": ("latin1", "iso88591", "windows1252", "xansi", "ansi", "l1", "cp819", "ibm819", "iso885911987"),
    "utf_8": ("utf8", "unicode11utf8", "xunicode20utf8", "utf8mb4", "cesu8", "utf8bom"),
    "utf_7": ("utf7", "unicode11utf7", "xunicode20utf7", "csunicode11utf7"),
    "utf_16": ("utf16", "unicode", "iso10646ucs2", "ucs2", "csunicode"),
    "utf_16_le": ("utf16le", "unicodefeff"),
    "utf_16_be": ("utf16be", "unicodefffe"),
    "utf_32": ("utf32", "ucs4", "iso10646ucs4"),
    "ascii": ("usascii", "ascii", "ansix341968", "iso646us", "us", "646"),
    "iso2022_kr": ("iso2022kr", "csiso2022kr"),
    "hz": ("hz", "hzgb2312"),
    "iso8859_8": ("iso88598i", "iso88598e", "logical", "visual"),
}  # fmt: skip
_LETTERS: Final = re.compile(r"[^a-z0-9]+")


def _plain(label: str) -> str:
    return _LETTERS.sub("", label.lower()[:80])


def _labels() -> dict[str, str]:
    table: dict[str, str] = {}
    known = {}
    for name in _CODECS:
        codecs.lookup(name)
        b"".decode(name)
        known[name] = name
        table[_plain(name)] = name
    for alias, name in _aliases.aliases.items():
        if name in known:
            table[_plain(alias)] = name
    for name, spellings in _EXTRA.items():
        table.update(dict.fromkeys(spellings, name))
    return table


_LABELS: Final = _labels()
_SINGLE_BYTE: Final = frozenset(
    name for name in _CODECS if name.startswith(("iso8859_", "cp125", "cp4", "cp8", "koi8", "mac", "latin", "tis"))
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
_OUR_NAMES: Final = {"utf_8": "utf-8", "ascii": "us-ascii", "euc_jp": "euc-jp"}


def canonical(label: str | None) -> str | None:
    """The codec that a label means, or None for an unknown label. Never a codec that is not text."""
    return _LABELS.get(_plain(label)) if label else None


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Text of `data`, whose label is `declared`. Evidence in order: byte order mark, escapes, valid UTF-8, label, Japanese."""
    for mark, codec in _BOMS:
        if data.startswith(mark) and (codec == "utf_8" or len(data) % 2 == 0):
            return _replacing(data[len(mark) :], codec)
    label = canonical(declared)
    if data.isascii():
        return _seven_bit(data, label)
    if label != "iso2022_kr" and EVIDENCE.search(data):
        run = decode_jis(data, _by_evidence)
        return Decoded(run.text, JIS, run.replaced)
    if label and label.startswith(("utf_16", "utf_32")):
        return _wide_label(data, label)
    if wide := _unmarked_wide(data):
        return _replacing(data, wide)
    return _eight_bit(data, label)


_META: Final = re.compile(
    rb"<(?:meta\s[^>]{0,300}?charset|\?xml\s[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE
)


def decode_html(data: bytes, declared: str | None = None) -> Decoded:
    """As `decode`; without a label that means something, the one that the page itself states in its first bytes (not for UTF-7)."""
    if canonical(declared) is None and (stated := _META.search(data[:4096])):
        label = canonical(stated[1].decode("ascii"))
        # A page that could be read far enough to find this is not in UTF-16, whatever it says (WHATWG HTML, encoding sniffing).
        if label and not label.startswith(("utf_7", "utf_16", "utf_32")):
            declared = label
    return decode(data, declared)


def _seven_bit(data: bytes, label: str | None) -> Decoded:
    if b"\x1b" in data or (label == JIS and b"\x0e" in data):
        if label == "iso2022_kr":
            return _replacing(data, label)
        if label == JIS or EVIDENCE.search(data):
            run = decode_jis(data, _by_evidence)
            return Decoded(run.text, JIS, run.replaced)
    if label and label.startswith(("utf_16", "utf_32")) and b"\0" in data:
        return _wide_label(data, label)
    if (label == "utf_7" and b"+" in data) or (label == "hz" and b"~" in data) or label == "iso2022_kr":
        return _replacing(data, label)
    if b"\0" in data and (wide := _unmarked_wide(data)):
        return _replacing(data, wide)
    return Decoded(data.decode("ascii"), "us-ascii", 0)


def _wide_label(data: bytes, label: str) -> Decoded:
    """UTF-16 and UTF-32 without a mark: where the label leaves the byte order open, NULs show it, else big-endian (RFC 2781)."""
    if label == "utf_16":
        label = _unmarked_wide(data) or "utf_16_be"
    elif label == "utf_32":
        label = "utf_32_le" if data[1:4] == b"\0\0\0" or data[2:4] == b"\0\0" else "utf_32_be"
    return _replacing(data, label)


def _unmarked_wide(data: bytes) -> str | None:
    """UTF-16 without a mark: ASCII in it puts a NUL into every second byte, always on the same side."""
    sample = data[:4096]
    if len(data) % 2 or len(sample) < 4 or b"\0" not in sample:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    enough = len(sample) // 2 * 0.3
    if odd > enough and even <= odd // 20:
        return "utf_16_le"
    if even > enough and odd <= even // 20:
        return "utf_16_be"
    return None


# Bytes that no Shift_JIS has, and what Python's codec makes of them all the same.
_NOT_CP932: Final = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        return None
    if codec == "cp932" and _NOT_CP932.search(text):
        return None
    return text


def _named(text: str, codec: str, replaced: int = 0) -> Decoded:
    return Decoded(text, _OUR_NAMES.get(codec, codec.replace("_", "-")), replaced)


def _replacing(data: bytes, codec: str) -> Decoded:
    """Decode whatever can be, 〓 for the rest."""
    if codec == "euc_jp":
        run = decode_euc(data)
        return _named(run.text, codec, run.replaced)
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        try:
            text = data.decode(codec, "replace")
        except (UnicodeError, ValueError):  # some codecs raise whatever the error handler says
            text = data.decode("ascii", "replace")
        return _named(text.replace("\ufffd", GETA), codec, text.count("\ufffd"))
    bad = _NOT_CP932 if codec == "cp932" else _SURROGATE  # lone surrogates come out of UTF-7
    return _marked(text, codec, bad)


def _marked(text: str, codec: str, bad: re.Pattern[str]) -> Decoded:
    """Characters that the codec lets through without meaning, as 〓."""
    marked, count = bad.subn(GETA, text)
    return _named(marked, codec, count)


def _eight_bit(data: bytes, label: str | None) -> Decoded:
    text = _strict(data, "utf_8")
    if text is not None and not (label in ("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949") and _thin_utf8(data)):
        return Decoded(text, "utf-8", 0)
    if text is None and b"\xed" in data and (joined := _joined_surrogates(data)) is not None:
        return Decoded(joined, "utf-8", 0)
    if label in _SINGLE_BYTE and not _japanese_in_latin(data):
        return _replacing(data, label or "cp1252")
    if label in ("gb18030", "big5hkscs", "cp949", "johab", "hz", "shift_jis_2004", "euc_jis_2004"):
        strict = _strict(data, label)
        if strict is not None:
            return _named(strict, label)
    return _guess(data, label)


def _thin_utf8(data: bytes) -> bool:
    """Valid UTF-8 only by chance: two-byte sequences are also two half-width kana in Shift_JIS or one kanji in EUC and GBK."""
    return not any(byte >= 0xE0 for byte in data)


def _joined_surrogates(data: bytes) -> str | None:
    """CESU-8: supplementary characters written as two surrogates of three bytes each."""
    try:
        return data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return None


_KANA_PAIRS: Final = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x7e\x80-\x96]")
_HIGH_BYTES: Final = bytes(range(0x80, 0x100))


def _japanese_in_latin(data: bytes) -> bool:
    """Shift_JIS under a Latin label: kana lead bytes are unused or rare signs there, so several of them settle it."""
    kana = len(_KANA_PAIRS.findall(data))
    return kana >= 2 and kana * 5 >= len(data) - len(data.translate(None, _HIGH_BYTES)) and _strict(data, "cp932") is not None


_LATIN_PAIR: Final = re.compile(rb"(?<=[a-z])[\x80-\xff][a-z]")
_NEVER_EUC: Final = bytes((*range(0x80, 0x8E), *range(0x90, 0xA1), 0xFF))
_SAMPLE: Final = 1 << 16
_CUTS: Final = 100                 # broken places in the sample that no cutting explains
_COMMON: Final = re.compile("[ぁ-んァ-ヶー、。「」・一-龠０-９]")
_KANA_FULL: Final = re.compile("[ぁ-んァ-ヶ]")
_KANA_HALF: Final = re.compile("[｡-ﾟ]")
_NOT_ASCII: Final = re.compile("[^\x00-\x7f]")


def _guess(data: bytes, label: str | None) -> Decoded:
    """No UTF-8, no other label that fits: Shift_JIS or EUC-JP, else the label with 〓."""
    near = _near_utf8(data, label)
    if near is not None:
        return near
    sjis = _strict(data, "cp932")
    if sjis is not None and label != "cp932" and _accents(data, sjis):
        return _replacing(data, "cp1252")
    if sjis is not None and len(data.translate(None, _NEVER_EUC)) < len(data):
        return Decoded(sjis, "cp932", 0)
    euc = decode_euc(data)
    if euc.replaced == 0 and (sjis is None or label == "euc_jp" or (label != "cp932" and _rather_euc(sjis, euc.text))):
        return Decoded(euc.text, "euc-jp", 0)
    if sjis is not None:
        return Decoded(sjis, "cp932", 0)
    if label in (None, "ascii", JIS, "utf_7"):
        label = "euc_jp" if euc.replaced * 2 < _replacing(data, "cp932").replaced else "cp932"
        if label == "cp932" and _mostly_latin(data):
            label = "cp1252"
    return _replacing(data, label or "cp932")


def _near_utf8(data: bytes, label: str | None) -> Decoded | None:
    """UTF-8 with a few broken places (cut in the middle of a character) is still UTF-8."""
    if label not in (None, "utf_8", "ascii", JIS):
        return None
    for part in (data[:_SAMPLE], data) if len(data) > _SAMPLE else (data,):     # the beginning mostly settles it
        text = part.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = len(text) - len(text.encode("ascii", "ignore")) - bad
        if good < 3 * bad and (part is data or bad > _CUTS):
            return None
    return Decoded(text.replace("\ufffd", GETA), "utf-8", bad)


def _rather_euc(sjis: str, euc: str) -> bool:
    """Both read without error: EUC kana look like half-width kana in Shift_JIS, and only half-width kana look like EUC kanji."""
    half = len(_KANA_HALF.findall(sjis))
    if half == len(_NOT_ASCII.findall(sjis)) and not _KANA_FULL.search(euc):
        return False
    return len(_COMMON.findall(euc)) > len(_COMMON.findall(sjis)) - half


def _accents(data: bytes, sjis: str) -> bool:
    """A lone accented letter takes the ASCII letter after it as half of a kanji; real kanji have other second halves."""
    high = len(data) - len(data.translate(None, _HIGH_BYTES))
    return _mostly_latin(data) and len(_NOT_ASCII.findall(sjis)) == high and len(_LATIN_PAIR.findall(data)) == high


def _mostly_latin(data: bytes) -> bool:
    """A few accented letters among plain words: no Japanese text looks like this."""
    high = len(data) - len(data.translate(None, _HIGH_BYTES))
    return high * 5 < len(data) and not _KANA_PAIRS.search(data)


def _by_evidence(data: bytes) -> Run:
    """Bytes above 0x7F inside ISO-2022-JP."""
    decoded = _eight_bit(data, "cp932" if data.translate(None, bytes(range(0xA1, 0xE0))).isascii() else None)
    return Run(decoded.text, decoded.replaced)


def _geta(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return GETA * (error.end - error.start), error.end


codecs.register_error("sekisho.geta", _geta)
_CAN_GETA: Final = frozenset({"cp932", "gb18030", "utf_8", "utf_16", "utf_16_le", "utf_16_be", "cp949", "big5hkscs"})
_ISO_2022_JP_MS: Final = frozenset({"iso2022jpms", "cp50221", "50221"})


def encode(text: str, charset: str) -> bytes:
    """Text as bytes of `charset` (any spelling; unknown ones mean UTF-8). A character that it lacks becomes 〓 or ?."""
    codec = canonical(charset) or "utf_8"
    if codec == JIS:
        return encode_jis(text, kana=_plain(charset) in _ISO_2022_JP_MS)
    if codec == "euc_jp":
        return encode_euc(text)
    return text.encode(codec, "sekisho.geta" if codec in _CAN_GETA else "replace")
