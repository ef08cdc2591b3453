"""Document properties of compound files: what marks a document stays, who made it, where and with what goes. The same rule as for OOXML."""

from __future__ import annotations

from typing import Final, NamedTuple

from sanitizers import cfb
from sanitizers.context import Context
from sanitizers.formats.office import property_sets as sets
from sanitizers.formats.office.classification import MARK
from sanitizers.formats.office.markup import attribute, content
from sanitizers.formats.office.package import OFFICE, Package, Relation
from sanitizers.model import Action

STREAMS: Final = ("\x05SummaryInformation", "\x05DocumentSummaryInformation")
_KEPT: Final = {
    (sets.SUMMARY, sets.TITLE): "dc:title",
    (sets.SUMMARY, sets.SUBJECT): "dc:subject",
    (sets.SUMMARY, sets.KEYWORDS): "cp:keywords",
    (sets.DOCUMENT, sets.CATEGORY): "cp:category",
    (sets.DOCUMENT, sets.STATUS): "cp:contentStatus",
}
_GONE: Final = {
    (sets.SUMMARY, sets.AUTHOR): "author", (sets.SUMMARY, sets.COMMENTS): "comments", (sets.SUMMARY, sets.TEMPLATE): "template",
    (sets.SUMMARY, sets.LAST_AUTHOR): "last author", (sets.DOCUMENT, sets.MANAGER): "manager", (sets.DOCUMENT, sets.COMPANY): "company",
    (sets.DOCUMENT, sets.LINK_BASE): "hyperlink base",
}  # fmt: skip
_OWN: Final = "_PID_"  # of Office itself: links, identifiers
# Custom properties in which programs speak of themselves.
_IMPERSONAL: Final = frozenset({"AppVersion", "DocSecurity", "HyperlinksChanged", "LinksUpToDate", "ScaleCrop", "ShareDoc"})
_CORE_SPACE: Final = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_CORE: Final = f'xmlns:cp="{_CORE_SPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/"
_TYPES: Final = "application/vnd.openxmlformats-"


class Properties(NamedTuple):
    """`kept`: by set and number; `marks`: of the user's own properties those that classify; `template`, `application`: as they are told."""

    kept: dict[tuple[bytes, int], str]
    marks: dict[str, str]
    template: str
    application: str


def read(compound: cfb.Compound, context: Context, *, template: bool = True) -> Properties:
    """Reports what stays behind; without `template` the caller says what that is."""
    found = [one for name in STREAMS if (path := compound.find(name)) for one in sets.read(compound.read(path))]
    said = {(one.kind, number): text for one in found for number, text in one.values.items()}
    gone = [name for place, name in _GONE.items() if place in said and (template or place[1] != sets.TEMPLATE)]
    marks, others = _user_defined(found)
    if gone or others:
        context.found("file.metadata", "SummaryInformation", Action.REMOVED, ", ".join((*gone, *others)))
    kept = {place: text for place, text in said.items() if place in _KEPT}
    return Properties(kept, marks, said.get((sets.SUMMARY, sets.TEMPLATE), ""), said.get((sets.SUMMARY, sets.APPLICATION), ""))


def _user_defined(found: list[sets.PropertySet]) -> tuple[dict[str, str], list[str]]:
    """Marks by name, and the names of all others."""
    named = {
        one.names[number]: text
        for one in found
        if one.kind == sets.USER_DEFINED
        for number, text in one.values.items()
        if number in one.names
    }
    marks = {name: text for name, text in named.items() if MARK.match(name)}
    return marks, [name for name in named if name not in {*marks, *_IMPERSONAL} and not name.startswith(_OWN)]


def streams(found: Properties) -> dict[cfb.Path, bytes]:
    """For a new compound file: those that something is left for."""
    of = {kind: {number: text for (one, number), text in found.kept.items() if one == kind} for kind in (sets.SUMMARY, sets.DOCUMENT)}
    marks = dict(enumerate(sorted(found.marks.items()), 2))
    user = sets.PropertySet(sets.USER_DEFINED, {at: text for at, (_, text) in marks.items()}, {at: name for at, (name, _) in marks.items()})
    made: dict[cfb.Path, bytes] = {}
    if of[sets.SUMMARY]:
        made[(STREAMS[0],)] = sets.write([sets.PropertySet(sets.SUMMARY, of[sets.SUMMARY], {})])
    if of[sets.DOCUMENT] or user.values:
        made[(STREAMS[1],)] = sets.write([sets.PropertySet(sets.DOCUMENT, of[sets.DOCUMENT], {}), user])
    return made


def parts(package: Package, found: Properties, application: str) -> list[Relation]:
    """For a new package: adds those that something is left for, and returns its relations to them. `application`: elements of app.xml."""
    space = f'xmlns="{_DOCUMENT}extended-properties"'
    package.add("docProps/app.xml", f"<Properties {space}>{application}</Properties>", f"{_TYPES}officedocument.extended-properties+xml")
    made = [Relation(f"{OFFICE}extended-properties", "docProps/app.xml")]
    if found.kept:
        core = {_KEPT[place]: text for place, text in found.kept.items()}
        lines = "".join(f"<{tag}>{content(text)}</{tag}>" for tag, text in sorted(core.items()))
        package.add("docProps/core.xml", f"<cp:coreProperties {_CORE}>{lines}</cp:coreProperties>", f"{_TYPES}package.core-properties+xml")
        made.append(Relation(_CORE_SPACE.replace("/2006/", "/2006/relationships/"), "docProps/core.xml"))
    if found.marks:
        package.add("docProps/custom.xml", _custom(found.marks), f"{_TYPES}officedocument.custom-properties+xml")
        made.append(Relation(f"{OFFICE}custom-properties", "docProps/custom.xml"))
    return made


def _custom(marks: dict[str, str]) -> str:
    lines = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" name={attribute(name[:255])}>'
        f"<vt:lpwstr>{content(text)}</vt:lpwstr></property>"
        for number, (name, text) in enumerate(sorted(marks.items()), 2)
    )
    return f'<Properties xmlns="{_DOCUMENT}custom-properties" xmlns:vt="{_DOCUMENT}docPropsVTypes">{lines}</Properties>'
