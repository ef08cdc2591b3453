"""A last look into binary parts that stay behind: the rules see macro source and objects that the ZIP hides from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.office import vba

if TYPE_CHECKING:
    from sanitizers.formats.ooxml.rebuild import Rebuild

_COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0"


def look_into(rebuild: Rebuild, part: str) -> str:
    """Scan the part and whatever hangs on it (ActiveX data, VBA data). The names of macro modules in it, if it has any."""
    modules = ""
    seen: set[str] = set()
    queue = [part]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        rebuild.silence(name)
        data = rebuild.package.read(name)
        if data.startswith(_COMPOUND_FILE):
            modules = modules or vba.describe(data, rebuild.package.name(name), rebuild.context)
        if b"ddeLink" in data:
            rebuild.context.found("ooxml.dde", rebuild.package.name(name))
        for relation in rebuild.package.relationships(name):
            target = None if relation.external else rebuild.package.resolve(name, relation.target)
            if target is not None and rebuild.taken(target) is None:
                queue.append(target)
    return modules
