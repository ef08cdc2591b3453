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
_WIDE: Final = ("utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be")
_SINGLE_BYTE: Final = (
    *(f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *(f"cp125{page}" for page in range(9)), "cp437", "cp850", "cp852", "cp866", "cp874", "koi8_r", "koi8_u", "mac_roman", "tis_620",
)  # fmt: skip
_MULTI_BYTE: Final = ("gb18030", "big5hkscs", "cp949", "johab", "shift_jis_2004", "euc_jis_2004")
_CODECS: Final = ("ascii", "utf_8", "utf_7", "cp932", "euc_jp", "hz", "iso2022_kr", *_WIDE, *_SINGLE_BYTE, *_MULTI_BYTE)

JIS: Final = "iso-2022-jp"

# Label without case and punctuation -> codec, where Python has no such alias or another opinion. Supersets stand for what they extend,
# as every mail program and browser does.
_EXTRA: Final = {
    "cp932": (
        "shiftjis", "sjis", "xsjis", "csshiftjis", "windows31j", "cswindows31j", "mssjis", "shiftjisms", "xmscp932",
        "windows932", "sjiswin", "cp943", "ibm943", "xshiftjis", "shiftjisdocomo", "sjisms",
    ),
    "euc_jp": ("xeucjp", "eucjpms", "cp51932", "eucjpwin", "cseucpkdfmtjapanese", "eucjpascii"),
    JIS: (
        "iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jp3", "iso2022jpext", "iso2022jp2004", "iso2022jpms", "csiso2022jp",
        "cp50220", "cp50221", "cp50222", "jis", "jis7", "jiskana", "iso2022", "csiso2022jp2", "50220", "50221", "xiso2022jp",
    ),
    "gb18030": ("gb2312", "gbk", "cp936", "ms936", "windows936", "euccn", "gb231280", "csgb2312", "xgbk", "csiso58gb231280", "gb"),
    "big5hkscs": ("big5", "csbig5", "xbig5", "cp950", "big5tw", "cnbig5"),
    "cp949": ("ksc5601", "ksc56011987", "euckr", "ksc56011989", "windows949", "korean", "cseuckr", "isoir149"),
    "cp1252": (
        "latin1", "iso88591", "xansi", "ansi", "l1", "cp819", "ibm819", "iso885911987", "csisolatin1", "isoir100", "latin", "iso8859",
        "8859",
    ),
    "utf_8": ("unicode11utf8", "xunicode20utf8", "utf8mb4", "cesu8", "utf8bom"),
    "utf_7": ("xunicode20utf7", "csunicode11utf7"),
    "utf_16": ("unicode", "iso10646ucs2", "ucs2", "csunicode"),
    "utf_16_le": ("unicodefeff",),
    "utf_16_be": ("unicodefffe",),
    "utf_32": ("ucs4", "iso10646ucs4"),
    "iso8859_8": ("iso88598i", "iso88598e", "logical", "visual"),
}  # fmt: skip
_LETTERS: Final = re.compile(r"[^a-z0-9]+")


def _plain(label: str) -> str:
    return _LETTERS.sub("", label.lower())


def _labels() -> dict[str, str]:
    for name in _CODECS:
        codecs.lookup(name)
    table = {_plain(name): name for name in _CODECS}
    table |= {_plain(alias): name for alias, name in _aliases.aliases.items() if name in _CODECS}
    for name, spellings in _EXTRA.items():
        table.update(dict.fromkeys(spellings, name))
    return table


_LABELS: Final = _labels()
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)


def canonical(label: str | None) -> str | None:
    """The codec that a label means, or None for an unknown label. Never a codec that is not text."""
    return _LABELS.get(_plain(label)) if label else None


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Text of `data`, whose label is `declared`. Evidence in order: byte order mark, escapes, valid UTF-8, label, Japanese."""
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _replacing(data[len(mark) :], codec)
    label = canonical(declared)
    if data.isascii():
        return _seven_bit(data, label)
    if EVIDENCE.search(data):
        run = decode_jis(data, _by_evidence)
        return Decoded(run.text, JIS, run.replaced)
    if label in _WIDE:
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
        if label != "utf_7" and label not in _WIDE:
            declared = label
    return decode(data, declared)


def _seven_bit(data: bytes, label: str | None) -> Decoded:
    if label == "iso2022_kr":
        return _replacing(data, label)
    if (b"\x1b" in data and (label == JIS or EVIDENCE.search(data))) or (label == JIS and b"\x0e" in data):
        run = decode_jis(data, _by_evidence)
        return Decoded(run.text, JIS, run.replaced)
    if b"\0" in data and label in _WIDE:
        return _wide_label(data, label)
    if (label == "utf_7" and b"+" in data) or (label == "hz" and b"~" in data):
        return _replacing(data, label)
    if b"\0" in data and (wide := _unmarked_wide(data)):
        return _replacing(data, wide)
    return Decoded(data.decode("ascii"), "us-ascii", 0)


def _wide_label(data: bytes, label: str) -> Decoded:
    """UTF-16 and UTF-32 without a mark: where the label leaves the byte order open, NULs show it, else big-endian (RFC 2781)."""
    if label == "utf_16":
        label = _unmarked_wide(data) or "utf_16_be"
    elif label == "utf_32":
        label = "utf_32_le" if data[2:4] == b"\0\0" else "utf_32_be"
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
    except ValueError:
        return None
    if codec == "cp932" and _NOT_CP932.search(text):
        return None
    return text


def _replacing(data: bytes, codec: str) -> Decoded:
    """Decode whatever can be, 〓 for the rest."""
    if codec == "euc_jp":
        run = decode_euc(data)
        return Decoded(run.text, "euc-jp", run.replaced)
    try:
        text, broken = data.decode(codec), 0
    except ValueError:
        text = _broken(data, codec)
        broken = text.count("\ufffd")
        text = text.replace("\ufffd", GETA)
    # What the codec lets through without meaning; lone surrogates come out of UTF-7.
    text, strange = (_NOT_CP932 if codec == "cp932" else _SURROGATE).subn(GETA, text)
    return Decoded(text, codec.replace("_", "-"), broken + strange)


def _broken(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "replace")
    except ValueError:  # some codecs raise whatever the error handler says
        return data.decode("ascii", "replace")


# Valid UTF-8 only by chance: two-byte sequences are also two half-width kana in Shift_JIS or one kanji in EUC and GBK.
_MAY_BE_THIN: Final = frozenset({"cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"})
_LONG_UTF8: Final = re.compile(rb"[\xe0-\xff]")


def _eight_bit(data: bytes, label: str | None) -> Decoded:
    text = _strict(data, "utf_8")
    if text is not None and (label not in _MAY_BE_THIN or _LONG_UTF8.search(data)):
        return Decoded(text, "utf-8", 0)
    if b"\xed" in data and (joined := _joined_surrogates(data)) is not None:
        return Decoded(joined, "utf-8", 0)
    if label in _SINGLE_BYTE and not _japanese_in_latin(data):
        return _replacing(data, label)
    if label in _MULTI_BYTE and (strict := _strict(data, label)) is not None:
        return Decoded(strict, label.replace("_", "-"), 0)
    return _guess(data, label)


def _joined_surrogates(data: bytes) -> str | None:
    """CESU-8: supplementary characters written as two surrogates of three bytes each."""
    try:
        return data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return None


_KANA_PAIRS: Final = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x7e\x80-\x96]")
_ASCII: Final = bytes(range(0x80))


def _high(data: bytes) -> int:
    """How many bytes are no ASCII."""
    return len(data.translate(None, _ASCII))


def _japanese_in_latin(data: bytes) -> bool:
    """Shift_JIS under a Latin label: kana lead bytes are unused or rare signs there, so several of them settle it."""
    kana = len(_KANA_PAIRS.findall(data))
    return kana >= 2 and kana * 5 >= _high(data)


_LATIN_PAIR: Final = re.compile(rb"(?<=[a-z])[\x80-\xff][a-z]")
_NEVER_EUC: Final = re.compile(rb"[\x80-\x8d\x90-\xa0]")
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
    if label != "cp932" and _accents(data):
        return _replacing(data, "cp1252")
    if sjis is not None and _NEVER_EUC.search(data):
        return Decoded(sjis, "cp932", 0)
    euc = decode_euc(data)
    if euc.replaced == 0 and (sjis is None or label == "euc_jp" or (label != "cp932" and _rather_euc(sjis, euc.text))):
        return Decoded(euc.text, "euc-jp", 0)
    if sjis is not None:
        return Decoded(sjis, "cp932", 0)
    if not label or label in ("ascii", JIS, "utf_7"):
        label = "euc_jp" if euc.replaced * 2 < _replacing(data, "cp932").replaced else "cp932"
        if label == "cp932" and _mostly_latin(data):
            label = "cp1252"
    return _replacing(data, label)


def _near_utf8(data: bytes, label: str | None) -> Decoded | None:
    """UTF-8 with a few broken places (cut in the middle of a character) is still UTF-8."""
    if label not in (None, "utf_8", "ascii", JIS):
        return None
    for end in sorted({min(_SAMPLE, len(data)), len(data)}):     # the beginning mostly settles it
        text = data[:end].decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = len(text) - len(text.encode("ascii", "ignore")) - bad
        if good < 3 * bad and (end == len(data) or bad > _CUTS):
            return None
    return Decoded(text.replace("\ufffd", GETA), "utf-8", bad)


def _rather_euc(sjis: str, euc: str) -> bool:
    """Both read without error: EUC kana look like half-width kana in Shift_JIS, and only half-width kana look like EUC kanji."""
    half = len(_KANA_HALF.findall(sjis))
    only_half = half == len(_NOT_ASCII.findall(sjis)) and not _KANA_FULL.search(euc)
    return not only_half and len(_COMMON.findall(euc)) > len(_COMMON.findall(sjis)) - half


def _accents(data: bytes) -> bool:
    """A lone accented letter takes the ASCII letter after it as half of a kanji; real kanji have other second halves."""
    return _mostly_latin(data) and len(_LATIN_PAIR.findall(data)) == _high(data)


def _mostly_latin(data: bytes) -> bool:
    """A few accented letters among plain words: no Japanese text looks like this."""
    return _high(data) * 5 < len(data) and not _KANA_PAIRS.search(data)


_EIGHT_BIT_KANA: Final = re.compile(rb"[\x00-\x7f\xa1-\xdf]*")


def _by_evidence(data: bytes) -> Run:
    """Bytes above 0x7F inside ISO-2022-JP."""
    decoded = _eight_bit(data, "cp932" if _EIGHT_BIT_KANA.fullmatch(data) else None)
    return Run(decoded.text, decoded.replaced)


def _geta(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return GETA * (error.end - error.start), error.end


codecs.register_error("sekisho.geta", _geta)
_CAN_GETA: Final = frozenset(codec for codec in _CODECS if GETA.encode(codec, "ignore"))
_ISO_2022_JP_MS: Final = frozenset({"iso2022jpms", "cp50221", "50221"})


def encode(text: str, charset: str) -> bytes:
    """Text as bytes of `charset` (any spelling; unknown ones mean UTF-8). A character that it lacks becomes 〓 or ?."""
    codec = canonical(charset) or "utf_8"
    if codec == JIS:
        return encode_jis(text, kana=_plain(charset) in _ISO_2022_JP_MS)
    if codec == "euc_jp":
        return encode_euc(text)
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return _SURROGATE.sub(GETA, text).encode(codec, "sekisho.geta" if codec in _CAN_GETA else "replace")
