"""The second opinion on the XML of Office packages: expat, and searches over the bytes.

expat proves each part well-formed, without DTD, comment, instruction or CDATA. After that every "<" begins a tag, so the names of all
elements and the ids of all references can be read off the bytes.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.verify import ooxml_calls, spelled

_FORBIDDEN_ELEMENTS: Final = frozenset(
    """
    OLEObject oleObj oleObject oleObjects objectPr object ocx altChunk subDoc attachedTemplate mailMerge frameset movie audioCd audioFile
    quickTimeFile videoFile wavAudioFile snd sndAc ddeLink ddeItem oleLink externalBook externalReference connection dbPr webPr
    DataMashup FmlaMacro ScriptText entryMacro exitMacro functionGroup webextension webextensionref taskpane embedRegular embeddedFont
    custData docVar saveThroughXslt htmlPubPr webPublishItem macrosheet dialogsheet customUI cmd contentPart fldData script
    """.split()
)
_RELATIONSHIPS_SPACE: Final = (
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_KNOWN_SPACE: Final = re.compile(
    rb"http://schemas\.openxmlformats\.org/|http://purl\.oclc\.org/ooxml/|http://schemas\.microsoft\.com/office/|urn:schemas-microsoft-com:"
    rb"|http://purl\.org/dc/|http://www\.w3\.org/|http://schemas\.libreoffice\.org/"
)
_ALTERNATIVE: Final = re.compile(rb"<(\w+:)?AlternateContent[\s>]")
_CONTROL: Final = re.compile(
    rb'<(?:\w+:)?AlternateContent(?: xmlns:\w+="[^"]*")*>\s*<(?:\w+:)?Choice(?: xmlns:\w+="[^"]*")* Requires="\w+"(?: xmlns:\w+="[^"]*")*>'
    rb"\s*<(?:\w+:)?controls?[\s>]"
)
_FALLBACK: Final = re.compile(rb"<(?:\w+:)?Fallback[\s/>]")


def check(name: str, content: bytes, identities: frozenset[str], schemes: tuple[str, ...]) -> None:
    """Raises VerificationFailed for anything active, foreign or dangling. `identities`: the relationship ids of the part."""
    spelled.prove_plain(name, content)
    if name.startswith("customXml/item"):
        if b"DataMashup" in content:
            raise VerificationFailed(f"queries in {name}")
        return
    names = spelled.names(content)
    if bad := {tag.rpartition(b":")[2].decode("utf-8", "replace") for tag in names.elements} & _FORBIDDEN_ELEMENTS:
        raise VerificationFailed(f"{min(bad)} in {name}")
    spaces = spelled.spaces(content)
    if strange := [uri for _, uri in spaces if uri and not _KNOWN_SPACE.match(uri)]:
        raise VerificationFailed(f"namespace {strange[0][:100]!r} in {name}")
    if names.has_element(b"AlternateContent", b"Fallback"):
        _check_alternatives(name, content)
    if names.has_attribute(b"action", b"macro"):
        ooxml_calls.check_actions(name, content)
    if names.has_attribute(b"href", b"althref", b"src", b"style"):
        ooxml_calls.check_loading(name, content)
    if names.has_element(*ooxml_calls.FIELDS):
        ooxml_calls.check_fields(name, content, schemes)
    if name.startswith("xl/"):
        _check_workbook(name, content, names, schemes)
    for prefix in {prefix for prefix, uri in spaces if uri in _RELATIONSHIPS_SPACE and prefix}:
        _check_references(name, content, prefix, identities)


def _check_workbook(name: str, content: bytes, names: spelled.Names, schemes: tuple[str, ...]) -> None:
    if names.has_element(b"definedName"):
        ooxml_calls.check_names(name, content)
    ooxml_calls.check_formulas(name, content, names.elements, schemes)
    if names.has_attribute(*ooxml_calls.FORMULA_ATTRIBUTES):
        ooxml_calls.check_formula_attributes(name, content, schemes)


def _check_alternatives(name: str, content: bytes) -> None:
    """Alternatives stay around form controls of a worksheet only, with one choice each."""
    found = len(_ALTERNATIVE.findall(content))
    controls = len(_CONTROL.findall(content)) if name.startswith("xl/") else 0
    if found != controls or _FALLBACK.search(content):
        raise VerificationFailed(f"AlternateContent in {name}")


def _check_references(name: str, content: bytes, prefix: bytes, identities: frozenset[str]) -> None:
    spaced = rb"%b:(?<=\s%b:)" % (re.escape(prefix), re.escape(prefix))       # letters first: they are found fastest
    for found in spelled.in_tags(content, re.finditer(spaced + rb'[A-Za-z]+="([^"]*)"', content)):
        if found[1] and found[1].decode("utf-8", "replace") not in identities:
            raise VerificationFailed(f"reference {found[1]!r} in {name} leads nowhere")
