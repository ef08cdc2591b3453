"""The second opinion on RTF: a flat walk over the bytes of the result, which are spelt in one way only, and the same words as before."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import ooxml_calls
from sanitizers.verify.parts import Parts

_SPELT: Final = re.compile(rb"[\x20-\x7e\r\n]*+")
_WORD: Final = re.compile(rb"\\([A-Za-z]++)(-?[0-9]++)? ?|(?:[^\\{}]++|\\'[0-9a-f]{2})++|\\[~_|:*-]|[{}]")
_FORBIDDEN: Final = frozenset(
    b"""
    object objdata objclass objname objocx objautlink objlink objupdate objemb objsub objhtml objattph bin template nextfile filetbl
    mailmerge mmconnectstr mmdatasource htmltag mhtmltag fontemb fontfile datastore private docvar hl hlsrc hlloc ffentrymcr ffexitmcr
    xmlopen svb themedata colorschememapping do passwordhash password generator author operator company manager linkstyles hlinkbase
    linkval subdocument
    """.split()
)
# What may stand behind the mark of an ignorable destination.
_STARRED: Final = re.compile(
    rb"(?:shppict|shpinst|shpgrp|shptxt|fldinst|fldrslt|bkmkstart|bkmkend|[cdt]s|tsrowd|panose|falt|defchp|defpap|a?ftn(?:sepc?|cn)|pn|pnseclvl|pntext"
    rb"|pntxt[ab]|listtable|listoverridetable|listname|liststylename|listpicture|listtext|lfolevel|revtbl|pgptbl|pgp|nesttableprops|[fl]chars"
    rb"|background|formfield|ff[a-z]+|annotation|atn[a-z]+|atrfstart|atrfend|userprops|m[A-Za-z]+|header[lrf]?|footer[lrf]?|footnote|title"
    rb"|keywords|subject|category|tc|[rty]?xe)(?![a-zA-Z])"
)
_STAR: Final = re.compile(rb"\\\*\s*(?:\\([A-Za-z]+))?")
_PICTURE: Final = re.compile(rb"\\(pngblip|jpegblip|emfblip|wmetafile8|dibitmap0)\s+([0-9a-f\s]*+)\}")
_HEXADECIMAL: Final = re.compile(rb"[0-9A-Fa-f]++")
_LONGEST_DIGITS: Final = 4096
# Of what a field is told: letters by number, spaces, and what says nothing.
_SAID: Final = re.compile(
    rb"\\u(-?[0-9]+)\?|\\'([0-9a-f]{2})|(\\~|\\(?:tab|line|par)(?![A-Za-z])(?:-?[0-9]+)?\s?)|\\[A-Za-z]+(?:-?[0-9]+)? ?|\\[_|:*-]|[{}\r\n]"
)
_ANOTHER_FIELD: Final = b'"?"'  # a word that nobody knows before it is worked out

# Destinations whose words are not part of the text, starred or not.
_ASIDE: Final = frozenset(
    b"""
    fonttbl colortbl stylesheet info pict object sp fldinst themedata colorschememapping latentstyles rsidtbl generator xmlnstbl datastore
    listtable listoverridetable revtbl nonshppict shprslt bkmkstart bkmkend mmathPict nonesttables userprops docvar template filetbl
    nextfile datafield formfield private htmltag mhtmltag do objdata fontemb fontfile panose falt mailmerge windowcaption pn pnseclvl
    """.split()
)
# Findings after which the words are not the same, each for its own reason.
_REWRITES: Final = frozenset({
    "rtf.object", "rtf.unknown_destination", "rtf.field", "rtf.comment", "rtf.custom_xml", "rtf.binary", "rtf.old_drawing",
    "rtf.private_data", "rtf.protection", "rtf.html", "rtf.link", "rtf.external_field", "rtf.macro", "rtf.dde", "rtf.unbalanced",
    "rtf.trailing_data", "rtf.shape_property", "rtf.document_variable", "rtf.external_file",
})


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed."""
    data = output.bytes()
    if not data.startswith(b"{\\rtf1") or _SPELT.fullmatch(data) is None or not data.endswith(b"}\r\n"):
        raise VerificationFailed("not spelt as it should be")
    _check_words(data)
    _check_pictures(data, context)
    _check_fields(data, context.treatment.link_schemes)
    if not _REWRITES & {finding.code for finding in context.findings}:
        said = _said(original.bytes())
        if said is not None and said != _said(data):
            raise VerificationFailed("the words are not the same")


def _check_words(data: bytes) -> None:
    depth = position = 0
    for match in _WORD.finditer(data):
        if match.start() != position:
            break
        position = match.end()
        depth += {b"{": 1, b"}": -1}.get(match[0], 0)
        if match[1] in _FORBIDDEN:
            raise VerificationFailed(f"\\{match[1].decode()}")
        if depth == 0:
            break
    if depth or data[position:].strip():
        raise VerificationFailed("braces do not match")
    for match in _STAR.finditer(data):
        if not _STARRED.match(match[1] or b""):
            raise VerificationFailed(f"\\*\\{(match[1] or b'').decode()}")


def _check_pictures(data: bytes, context: Context) -> None:
    """Long runs of digits are pictures, and each is one that the engine delivered."""
    parts = Parts(context)
    for kind, digits in _PICTURE.findall(data):
        check = parts.check_bitmap if kind == b"dibitmap0" else parts.check
        check(bytes.fromhex(digits.decode()), "a picture")
    rest = _PICTURE.sub(b"}", data).translate(None, b"\r\n ")
    if any(len(digits) > _LONGEST_DIGITS for digits in _HEXADECIMAL.findall(rest)):
        raise VerificationFailed("hexadecimal data that is no picture")


def _check_fields(data: bytes, schemes: tuple[str, ...]) -> None:
    for pieces in _instructions(data):
        ooxml_calls.check_instruction("the text", _SAID.sub(_letter, b"".join(pieces)), schemes)


def _instructions(data: bytes) -> list[list[bytes]]:
    """What each field is told, in pieces; without what another field inside of it is told."""
    found: list[list[bytes]] = []
    groups: list[list[bytes] | None] = [None]
    for match in _WORD.finditer(data):
        if match[0] == b"}":
            groups.pop()
        told = groups[-1]
        if told is not None:
            told.append(_ANOTHER_FIELD if match[1] == b"field" else match[0])
        if match[1] == b"fldinst":
            found.append([])
            groups[-1] = found[-1]
        elif match[0] == b"{":
            groups.append(told)
    return found


def _letter(match: re.Match[bytes]) -> bytes:
    number, octet, space = match.groups()
    if number:
        return chr(int(number) & 0xFFFF).encode("ascii", "replace")
    return bytes.fromhex(octet.decode()) if octet else b" " if space else b""


_TOKEN: Final = re.compile(rb"\\([A-Za-z]++)(-?[0-9]++)? ?|((?:[^\\{}]++|\\'[0-9A-Fa-f]{2})++)|([{}])|\\([^'])", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\'(..)", re.DOTALL)
_BETWEEN: Final = b"\r\n\x00"
_NO_SIGNS: Final = bytes((*range(0x21), 0x7F))


def _said(data: bytes) -> bytes | None:
    """A digest of the letters of the text, in whatever encoding they are; Unicode ones as two octets. None: some stand there twice."""
    digest, groups, skipped, width, owed, at = hashlib.sha256(), list[tuple[bool, int]](), False, 1, 0, data.find(b"{") + 1
    while match := _TOKEN.search(data, at):
        at = match.end()
        word, number, letters, brace, sign = match.groups()
        if brace == b"{":
            groups.append((skipped, width))
            owed = 0
        elif brace:
            if not groups:
                break
            (skipped, width), owed = groups.pop(), 0
        elif word in (b"bin", b"uc", b"u"):
            value = int(number or 0)
            at += max(value, 0) if word == b"bin" else 0
            width = value if word == b"uc" else width
            if word == b"u":
                owed = width
                digest.update(b"" if skipped else chr(value & 0xFFFF).encode("utf-16-be", "surrogatepass"))
        elif word or (sign is not None and sign not in b"{}\\"):
            if word == b"upr" and not skipped:
                return None
            skipped = skipped or (not owed and (word in _ASIDE or sign == b"*"))
            owed = max(0, owed - 1)
        else:
            found = sign or _ESCAPE.sub(lambda one: bytes.fromhex(one[1].decode()), letters.translate(None, _BETWEEN))
            found, owed = found[owed:], max(0, owed - len(found))
            digest.update(b"" if skipped else found.translate(None, _NO_SIGNS))
    return digest.digest()
