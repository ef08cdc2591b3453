"""確認済み: kinds that nothing here can rebuild, whose structure is read to its end instead.

A check copies nothing and changes nothing. It passes a file only if every byte of it has a place in the grammar of its kind and nothing
in it names another file, a program or a machine. Even then the original goes out only where policy lets its kind through *and* a person's
approval is recorded, or where an exception was granted for its very digest; all are told by the road in `Treatment`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from sanitizers.confirm import docuworks, dxf, jww, shape, step
from sanitizers.context import Context, Rebuilt
from sanitizers.model import Action, Kind, Unsupported
from sanitizers.source import Source

# Each returns in a few words what it counted, and raises Malformed or Unsupported.
CHECKS: Final[dict[Kind, Callable[[Source, Context], str]]] = {
    Kind.DXF: dxf.check,
    Kind.JWW: jww.check,
    Kind.P21: step.check_p21,
    Kind.SFC: step.check_sfc,
    Kind.SHP: shape.check_shp,
    Kind.SHX: shape.check_shx,
    Kind.DBF: shape.check_dbf,
    Kind.XDW: docuworks.check,
    Kind.XBD: docuworks.check,
}
# Kinds that are told apart only to say to a person what is held, and what to ask for.
_UNBUILT: Final[dict[Kind, tuple[str, str]]] = {
    Kind.VSD: ("confirm.visio", "ask the sender for a PDF"),
    Kind.PUB: ("confirm.publisher", "ask the sender for a PDF"),
    Kind.MPP: ("confirm.project", "ask the sender for a PDF or a workbook"),
    Kind.ACCDB: ("confirm.access", "ask the sender for a workbook or CSV"),
    Kind.JHD: ("confirm.hanako", "ask the sender for a PDF"),
    Kind.JAW: ("confirm.old_ichitaro", "ask the sender for a .jtd or a PDF"),
}


# Kinds that are rebuilt without their macros; with them one passes by an exception for its very digest (マクロ付き取込み).
_PROJECTS: Final = frozenset({"ooxml.vba"})
WITH_MACROS: Final = frozenset({Kind.DOCM, Kind.DOTM, Kind.XLSM, Kind.XLTM, Kind.PPTM, Kind.PPSM, Kind.POTM})


def excepted(source: Source, context: Context) -> str:
    """By whose word this very file passes with its macros; empty if by nobody's."""
    digests = dict(context.treatment.confirmed_digests) if context.kind in WITH_MACROS else {}
    return digests.get(source.sha256, "") if digests else ""


def as_it_came(source: Source, context: Context, looked: Context, layers: Collection[str], by: str) -> Rebuilt:
    """The original with its macros. `looked`: of a rebuilding whose result is thrown away, but which has read all of it; `layers`: where
    the rules looked. Raises Unsupported where the source of a macro was not to be seen, or an embedded file not to be looked at."""
    hidden = next((part.input.name for part in looked.parts if not part.verdict.delivers), "")
    projects = [finding.detail for finding in looked.findings if finding.code in _PROJECTS and finding.action is Action.REMOVED]
    seen = {layer.rpartition("/")[2] for layer in layers}
    if hidden or not projects or not all(seen.issuperset(names.split(", ")) for names in projects):
        raise Unsupported(f"{hidden or context.kind}: not all of it can be looked at", code="confirm.foreign")
    context.matches.extend(looked.matches)
    context.found("confirm.structure", "", Action.KEPT, "、".join(projects))
    context.found("confirm.approved", "", Action.KEPT, by)
    context.confirmed = True
    return Rebuilt(source, context.kind)


def confirmed(source: Source, context: Context) -> Rebuilt:
    """The original, if its structure is sound, policy lets its kind through and somebody approved. Raises Malformed, Unsupported."""
    check = CHECKS.get(context.kind)
    if check is None:
        code, advice = _UNBUILT.get(context.kind, (Unsupported.code, str(context.kind)))
        raise Unsupported(advice, code=code)
    counted = check(source, context)
    context.found("confirm.structure", "", Action.KEPT, counted)
    excepted = dict(context.treatment.confirmed_digests).get(source.sha256)
    if not excepted and context.kind not in context.treatment.confirmed_kinds:
        raise Unsupported(f"{context.kind}: its structure is sound; policy lets no original of this kind through")
    approved = excepted or context.treatment.confirmed_by
    if not approved:
        raise Unsupported(f"{context.kind}: its structure is sound; it waits for an approval", code="confirm.approval_needed")
    context.found("confirm.approved", "", Action.KEPT, approved)
    context.confirmed = True
    return Rebuilt(source, context.kind)
