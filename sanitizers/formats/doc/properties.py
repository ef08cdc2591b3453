"""Document properties: what marks a document stays, who made it, where and with what goes. The same rule as for OOXML."""

from __future__ import annotations

from typing import Final

from sanitizers import cfb
from sanitizers.context import Context
from sanitizers.formats.doc import markup
from sanitizers.formats.doc.package import OFFICE, Package, Relations
from sanitizers.formats.office import property_sets as sets
from sanitizers.formats.office.classification import MARK
from sanitizers.model import Action

_STREAMS: Final = ("\x05SummaryInformation", "\x05DocumentSummaryInformation")
_KEPT: Final = {
    (sets.SUMMARY, sets.TITLE): "dc:title",
    (sets.SUMMARY, sets.SUBJECT): "dc:subject",
    (sets.SUMMARY, sets.KEYWORDS): "cp:keywords",
    (sets.DOCUMENT, sets.CATEGORY): "cp:category",
    (sets.DOCUMENT, sets.STATUS): "cp:contentStatus",
}
_GONE: Final = {
    (sets.SUMMARY, sets.AUTHOR): "author", (sets.SUMMARY, sets.COMMENTS): "comments", (sets.SUMMARY, sets.LAST_AUTHOR): "last author",
    (sets.DOCUMENT, sets.MANAGER): "manager", (sets.DOCUMENT, sets.COMPANY): "company", (sets.DOCUMENT, sets.LINK_BASE): "hyperlink base",
}  # fmt: skip
_ORDINARY: Final = frozenset({"normal", "normal.dot", "normal.dotm", "normal.dotx", "normal.wpt", ""})
_OWN: Final = "_PID_"  # of Office itself: links, identifiers
# Custom properties in which programs speak of themselves.
_IMPERSONAL: Final = frozenset({"AppVersion", "DocSecurity", "HyperlinksChanged", "LinksUpToDate", "ScaleCrop", "ShareDoc"})
_CORE_SPACE: Final = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_CORE: Final = f'xmlns:cp="{_CORE_SPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/"
_TYPES: Final = "application/vnd.openxmlformats-"


def add(package: Package, compound: cfb.Compound, relations: Relations, context: Context) -> None:
    """Adds the parts that something is left for."""
    found = [one for name in _STREAMS if (path := compound.find(name)) for one in sets.read(compound.read(path))]
    core = {tag: text for one in found for number, text in one.values.items() if (tag := _KEPT.get((one.kind, number)))}
    gone = [name for one in found for number in one.values if (name := _GONE.get((one.kind, number)))]
    marks, others = _user_defined(found)
    if gone or others:
        context.found("file.metadata", "SummaryInformation", Action.REMOVED, ", ".join((*gone, *others)))
    template = next((one.values.get(sets.TEMPLATE, "") for one in found if one.kind == sets.SUMMARY), "")
    report_template(template, "SummaryInformation", context)
    package.add("docProps/app.xml", _application(), f"{_TYPES}officedocument.extended-properties+xml")
    relations.add(f"{OFFICE}extended-properties", "docProps/app.xml")
    if core:
        lines = "".join(f"<{tag}>{markup.content(text)}</{tag}>" for tag, text in sorted(core.items()))
        package.add("docProps/core.xml", f"<cp:coreProperties {_CORE}>{lines}</cp:coreProperties>", f"{_TYPES}package.core-properties+xml")
        relations.add(_CORE_SPACE.replace("/2006/", "/2006/relationships/"), "docProps/core.xml")
    if marks:
        package.add("docProps/custom.xml", _custom(marks), f"{_TYPES}officedocument.custom-properties+xml")
        relations.add(f"{OFFICE}custom-properties", "docProps/custom.xml")


def report_template(name: str, where: str, context: Context) -> None:
    """The template that every document has is none worth a word; one with a path is a reference, any other a name."""
    if name.lower() in _ORDINARY:
        return
    reaches_out = any(sign in name for sign in "/\\:")
    if (reaches_out and name.replace("\\", "/").rpartition("/")[2].lower() not in _ORDINARY) or "//" in name or name.startswith("\\\\"):
        context.found("doc.template", where, Action.REMOVED, name)
    else:
        context.found("file.metadata", where, Action.REMOVED, "template")


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


def _application() -> str:
    """Readers lay a document out as the application did that wrote it: Word."""
    inside = "<Application>Microsoft Office Word</Application><AppVersion>12.0000</AppVersion>"
    return f'<Properties xmlns="{_DOCUMENT}extended-properties">{inside}</Properties>'


def _custom(marks: dict[str, str]) -> str:
    lines = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" name={markup.attribute(name[:255])}>'
        f"<vt:lpwstr>{markup.content(text)}</vt:lpwstr></property>"
        for number, (name, text) in enumerate(sorted(marks.items()), 2)
    )
    return f'<Properties xmlns="{_DOCUMENT}custom-properties" xmlns:vt="{_DOCUMENT}docPropsVTypes">{lines}</Properties>'
