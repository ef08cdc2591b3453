"""File names: decoded once, made harmless once, and always telling the true kind.

Japanese first: CP932 names are decoded before anything is split (ソ, 表 and 能 carry a 0x5C byte), Mac names are composed (NFC),
private-use characters (外字) and ideographic variation sequences stay, full and half width are left as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from sanitizers.model import EXTENSIONS, Kind, Malformed

LONGEST: Final = 200          # UTF-8 bytes of one name: fits NAME_MAX (255) with room for a number or a notice's ending
DEEPEST: Final = 64           # folders of one path; beyond that Windows' MAX_PATH and our own walks suffer

# Singletons that NFC would replace by another, visibly different or CP932-incompatible character: compatibility ideographs
# (神 U+FA19, 朗 U+F929: IBM extensions in daily use in personal names), Å, Ω, K and the angle brackets.
_KEPT_SINGLETONS: Final = re.compile(r"([\uf900-\ufaff\U0002f800-\U0002fa1f\u2126\u212a\u212b\u2329\u232a]+)")
_FORBIDDEN: Final = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
# Invisible without being format characters (Cf): fillers, joiners and blanks that only serve to make two names look alike.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_SELECTORS: Final = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$) *(?:\..*)?", re.IGNORECASE)
# What may be taken off as an extension: "library-ms", "7z", "r01"; not the ".2024" of "報告.2024" nor the tail of "第1.2版 資料".
_EXTENSION: Final = re.compile(r"(?=[0-9_-]*[a-z])[a-z0-9_-]{1,20}", re.IGNORECASE)
_HALF_KANA_ONLY: Final = re.compile(r"[\x00-\x7f\uff61-\uff9f]*")
_NOT_CP932: Final = re.compile(r"[\x80-\xa0\uf8f0-\uf8f3]")  # Python maps the undefined bytes 80 A0 FD FE FF to these


class Path(NamedTuple):
    """A path of an archive made harmless: safe names with "/" between them."""

    path: str         # empty: nothing was left
    why: str          # what was wrong with it, "" if nothing
    climbs: bool      # had ".." in it: meant to leave the folder it is unpacked into


def extension(name: str) -> str:
    """The last extension in lower case, without its dot, as Windows would see it: trailing dots and spaces do not count."""
    last = _last(name).rstrip(". ")
    return last.rpartition(".")[2].lower() if "." in last else ""


def with_extension(name: str, kind: Kind) -> str:
    """`name` with an extension that fits `kind`: kept where it fits, else the final one is swapped, else one is added."""
    fitting = EXTENSIONS.get(kind)
    if fitting is None:
        return name
    bare = name.rstrip(". ")
    if not _last(bare):
        return name
    if extension(bare) in fitting:
        return bare
    stem = bare
    if _EXTENSION.fullmatch(extension(bare)) and _last(bare).rpartition(".")[0]:
        stem = bare.rpartition(".")[0].rstrip(". ")
    if extension(stem) in fitting:      # report.pdf.exe that is a PDF
        return stem
    if kind is Kind.ZIP and extension(stem) == "tar":   # x.tar.xz repacked as x.zip
        stem = stem[:-4]
    return f"{stem}.{fitting[0]}"


def safe(name: str, fallback: str = "file") -> str:
    """One harmless file name: no folder, nothing invisible, no device, at most LONGEST bytes of UTF-8, its extension kept."""
    cleaned = _clean(_last(name))
    return shortened(cleaned or _clean(fallback) or "file", LONGEST)


def safe_path(path: str) -> Path:
    """A relative path of safe names out of any path: POSIX, Windows, drive, UNC."""
    slashed = path.replace("\\", "/")
    why = _rooted(slashed)
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    if why == "drive":
        parts[0] = parts[0][2:]
    climbs = any(part.strip(" .\u3000") == "" and part.count(".") > 1 for part in parts)
    if climbs:
        why = "parent folder"
    made = [shortened(cleaned, LONGEST) for part in parts if (cleaned := _clean(part))]
    if not why and made != [compose(part) for part in parts]:
        why = "unsafe name"
    if len(made) > DEEPEST:
        made, why = [*made[: DEEPEST - 1], made[-1]], why or "too deep"
    return Path("/".join(made), why, climbs)


def numbered(path: str, taken: dict[str, int]) -> str:
    """`path`, or with " (2)", " (3)" … before its extension if its `key` is taken. `taken`: last number by key, kept here."""
    number = taken.get(key(path), 0)
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    candidate = path
    while number and key(candidate) in taken:
        number += 1
        candidate = f"{folder}{slash}{_cut(stem, LONGEST - 30)} ({number}){dot}{ending}"
    taken[key(path)] = max(number, 1)
    taken.setdefault(key(candidate), 1)
    return candidate


def key(path: str) -> str:
    """Two paths with the same key can fall on the same file on Windows or a Mac: composed, case folded, "." and ".." resolved."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path.replace("\\", "/")).casefold())
    steps: list[str] = []
    for part in folded.split("/"):
        if part == "..":
            del steps[-1:]
        elif step := part.rstrip(". "):
            steps.append(step)
    return "/".join(steps)


def compose(text: str) -> str:
    """NFC, except for the characters that NFC would replace by others (see `_KEPT_SINGLETONS`)."""
    if text.isascii():
        return text
    runs = _KEPT_SINGLETONS.split(text)
    return "".join(run if index % 2 else unicodedata.normalize("NFC", run) for index, run in enumerate(runs))


def decode_zip(raw: bytes, utf8: bool, unicode_path: str | None) -> str:
    """The one name of a ZIP entry. `unicode_path`: the 0x7075 field's text if its CRC matched the raw name, else None.

    Raises Malformed (`zip.name`) for a NUL or for bytes that contradict the UTF-8 flag. APPNOTE 4.4.4 bit 11, 4.6.9, appendix D.
    """
    if b"\0" in raw or (unicode_path is not None and "\0" in unicode_path):
        raise Malformed("NUL in a member name", code="zip.name")
    if utf8:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("member name is marked UTF-8 and is not", code="zip.name") from None
        if unicode_path is not None and unicode_path != text:
            raise Malformed("two different member names", code="zip.name")
        return compose(text)
    return compose(unicode_path if unicode_path is not None else decode_unmarked(raw)[0])


def decode_unmarked(raw: bytes) -> tuple[str, bool]:
    """Text of a name that says nothing about its encoding, and whether it is only a guess (CP437, where nothing Japanese fits)."""
    if raw.isascii():
        return raw.decode("ascii"), False
    utf8, cp932 = _decoded(raw, "utf-8"), _decoded(raw, "cp932")
    if cp932 is not None and _NOT_CP932.search(cp932):
        cp932 = None
    # ﾃｨ in CP932 is è in UTF-8, and in Japan the kana are meant. Other letters of UTF-8 have bytes that are no half-width kana.
    if utf8 is not None and (cp932 is None or not _HALF_KANA_ONLY.fullmatch(cp932)):
        return utf8, False
    if cp932 is not None:
        return cp932, False
    euc = _decoded(raw, "euc_jp")
    return (euc, False) if euc is not None else (raw.decode("cp437"), True)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _rooted(slashed: str) -> str:
    if slashed.startswith("//"):
        return "network path"
    if slashed.startswith("/"):
        return "absolute path"
    return "drive" if re.match(r"[A-Za-z]:", slashed) else ""


def _clean(part: str) -> str:
    text = "".join(_harmless(compose(part))).translate(_FORBIDDEN)
    text = _SELECTORS.sub(_selector, text)
    text = compose(text).strip(" ").rstrip(". ")
    return f"_{text}" if _DEVICE.fullmatch(text) else text


def _harmless(text: str) -> Iterable[str]:
    for char in text:
        category = unicodedata.category(char)
        if char in "/\\" or category in ("Cs", "Cn"):
            yield "_"
        elif category in ("Zs", "Zl", "Zp"):
            yield char if char == "\u3000" else " "
        elif category not in ("Cc", "Cf") and char not in _INVISIBLE:
            yield char


def _selector(match: re.Match[str]) -> str:
    """A variation selector stays only right after a character it can belong to: 葛 and its IVS, a symbol and its emoji form."""
    before = match.string[match.start() - 1 : match.start()]
    return match.group() if before and unicodedata.category(before) in ("Lo", "So", "Sm", "Po", "Nd") else ""


def shortened(name: str, size: int) -> str:
    """At most `size` bytes of UTF-8, with the extension kept."""
    if len(name.encode()) <= size:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > 20:
        stem, dot, ending = name, "", ""
    return (_cut(stem, size - len((dot + ending).encode())).rstrip(". ") or "_") + dot + ending


def _cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, never through a character nor between one and its marks."""
    kept = text.encode()[:size].decode("utf-8", "ignore")
    while kept and len(kept) < len(text) and (unicodedata.combining(text[len(kept)]) or _SELECTORS.match(text[len(kept)])):
        kept = kept[:-1]
    return kept
