"""確認済み: kinds that nothing here can rebuild, whose structure is read to its end instead.

A check copies nothing and changes nothing. It passes a file only if every byte of it has a place in the grammar of its kind and nothing
in it names another file, a program or a machine. Even then the original goes out only where policy lets its kind through *and* a person's
approval is recorded, or where an exception was granted for its very digest; all are told by the road in `Treatment`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sanitizers.confirm import dxf, jww, shape, step
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
}


def confirmed(source: Source, context: Context) -> Rebuilt:
    """The original, if its structure is sound, policy lets its kind through and somebody approved. Raises Malformed, Unsupported."""
    check = CHECKS.get(context.kind)
    if check is None:
        raise Unsupported(context.kind)
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
