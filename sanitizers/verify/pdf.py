"""The second opinion on PDF: a walk over the bytes looks at every name, however written, and PDFium looks at the pages.

What may not be there is looked for in every object: names of things that act, filters that are not among three, links that policy does not
allow. A verifier may name dangers: the sanitizer, which copies by an allow-list, names none.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf_attached, pdf_names, pdf_pages
from sanitizers.verify.pdf_walk import walk

# Names that only active, foreign or unneeded things have.
_FORBIDDEN: Final = frozenset((
    b"JS", b"JavaScript", b"Launch", b"AF", b"OpenAction", b"AA", b"XFA", b"RichMedia",
    b"RichMediaContent", b"RichMediaSettings", b"RichMediaExecute", b"GoToR", b"GoToE", b"GoTo3DView", b"SubmitForm", b"ImportData", b"3DD",
    b"JBIG2Decode", b"JBIG2Globals", b"JPXDecode", b"Crypt", b"FFilter", b"FDecodeParms", b"PieceInfo", b"OPI", b"Encrypt", b"XRefStm",
    b"FileAttachment", b"Renditions", b"MediaClip", b"AlternatePresentations", b"Alternates", b"SpiderInfo", b"ByteRange", b"DSS", b"UR3",
    b"Perms", b"Requirements", b"PresSteps", b"NeedsRendering", b"Linearized",
))
# They may be there only where policy lets attached files, cleaned, be attached again.
_ATTACHING: Final = frozenset((b"EmbeddedFile", b"EmbeddedFiles", b"EF", b"Filespec"))
# Words that a font or a layer may bear too: looked for only where they say what a thing is.
_FORBIDDEN_KINDS: Final = frozenset((
    b"Movie", b"Sound", b"Rendition", b"Screen", b"3D", b"ResetForm", b"Collection", b"SetOCGState", b"Named", b"Hide", b"Thread", b"Trans",
    b"Metadata", b"PrinterMark", b"TrapNet", b"Redact", b"PS", b"Sig", b"Projection", b"DocTimeStamp", b"CryptFilter", b"Requirement",
))
# In the dictionary of a stream, before any other key may nest: data from outside, and PDF that stands for other PDF.
_FOREIGN: Final = re.compile(rb"/(?:F(?=[ (<\[])|Ref(?=<<| ))")
# The three filters, and the key that maps samples to colours.
_DECODES: Final = frozenset((b"FlateDecode", b"DCTDecode", b"CCITTFaxDecode", b"Decode"))
_STRING: Final = rb"\((?:[^()\\]++|\\[\x00-\xff])*+\)|<[0-9A-Fa-f]*+>"
_REGULAR: Final = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]"
_SKIPPED: Final = re.compile(_STRING)
_KIND: Final = re.compile(rb"/(?:S|Subtype|Type)[ \n]*/(" + _REGULAR + rb"*+)")
_NAME: Final = re.compile(rb"/(" + _REGULAR + rb"*+)")
# A value that is the word URI, a link with its address, any other string, and URI where neither belongs.
_LINKS: Final = re.compile(
    rb"/S/URI(?!" + _REGULAR + rb")|/URI(" + _STRING + rb")|" + _STRING + rb"|(/URI(?!" + _REGULAR + rb"))"
)
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ODDLY: Final = re.compile(rb"#(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])|#(?![0-9A-Fa-f]{2})")


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed when anything active or foreign is left, or the pages are not those of the original."""
    data = output.bytes()
    walked = walk(data)
    texts = [*walked.plain.values(), *(fields for fields, _ in walked.streams.values())]
    _check_names(texts, _FORBIDDEN if context.treatment.pdf_attachments else _FORBIDDEN | _ATTACHING)
    for text in texts:
        if b"URI" in text:
            _check_links(text, context)
    for fields, body in walked.streams.values():
        _check_stream(fields, body)
    if context.treatment.pdf_attachments:
        pdf_attached.check(walked, context)
    pdf_pages.compare(data, original, walked, context)


def _check_names(texts: list[bytes], forbidden: frozenset[bytes]) -> None:
    """Every name outside strings, with its escapes undone, unless it stands where its author chose it.

    Looked at together, and one object after the other only where something is suspected.
    """
    bare = [_bare(text) for text in texts]
    tables = [one for one in bare if b"XRef" in one]    # by themselves: what they may not say, bookmarks may
    together = b"\n".join(one for one in bare if b"XRef" not in one)
    if any(_suspect(*_names(one), forbidden) for one in (together, *tables)):
        for text, one in zip(texts, bare, strict=True):
            if _suspect(*_names(one), forbidden) and (found := _suspect(*pdf_names.meant(_SKIPPED.sub(b" 0 ", text)), forbidden)):
                raise VerificationFailed(f"{found[0]} is left")
    if any(b"#" in name and _ODDLY.search(name) for one in (together, *tables) for name in _names(one)[0]):
        raise VerificationFailed("a name is written oddly")


def _bare(text: bytes) -> bytes:
    """An object without its strings."""
    bare = _SKIPPED.sub(b" ", text) if b"(" in text else text     # there is no name in a hexadecimal one
    if b"%" in bare or b"(" in bare or b")" in bare:
        raise VerificationFailed("a comment or a broken string between objects")
    return bare


def _names(bare: bytes) -> tuple[set[bytes], set[bytes]]:
    """Those that are written, and those of them that say what something is."""
    return set(_NAME.findall(bare)), set(_KIND.findall(bare))


def _suspect(written: set[bytes], said: set[bytes], forbidden: frozenset[bytes]) -> list[str]:
    """What may not be there, of the names that were written and those that say what something is."""
    names, kinds = _unescaped(written), _unescaped(said)
    found = [f"/{name.decode('latin-1')}" for name in sorted((names & forbidden) | (kinds & _FORBIDDEN_KINDS))]
    found += [f"filter {name[:40].decode('latin-1')}" for name in names if name.endswith(b"Decode") and name not in _DECODES]
    return found + ["an older revision"] * (b"XRef" in kinds and b"Prev" in names)


def _unescaped(names: set[bytes]) -> set[bytes]:
    return {_ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), name) if b"#" in name else name for name in names}


def _check_links(text: bytes, context: Context) -> None:
    """Every URI is a string and has a scheme that policy allows."""
    for match in _LINKS.finditer(text):
        if match[2] is not None:
            raise VerificationFailed("a link that cannot be read")
        if match[1] is None:
            continue
        uri = bytes.fromhex(match[1][1:-1].decode()) if match[1].startswith(b"<") else match[1][1:-1]
        scheme = uri.partition(b":")[0].lower().decode("latin-1")
        if context.treatment.pdf_links_removed or scheme not in context.treatment.link_schemes:
            raise VerificationFailed(f"a link to {scheme[:40]} is left")


def _check_stream(fields: bytes, body: bytes) -> None:
    """Data of its own, which is what its filter says."""
    if _FOREIGN.search(fields) and _FOREIGN.search(_without_inner(fields)):
        raise VerificationFailed("a stream with data from outside")
    if b"/Filter/DCTDecode" in fields and not (body.startswith(b"\xff\xd8\xff") and body.endswith(b"\xff\xd9")):
        raise VerificationFailed("more than a picture in a JPEG")


def _without_inner(fields: bytes) -> bytes:
    """A dictionary without its strings and the dictionaries in it."""
    bare = _SKIPPED.sub(b"()", fields)[2:]
    while (shorter := _INNER.sub(b" ", bare)) != bare:
        bare = shorter
    return bare


_INNER: Final = re.compile(rb"<<[^<>]*+>>")
