"""`sekisho sbom`: what this installation is made of, as CycloneDX 1.6 (JSON), or with `--licences` as a list for people. Offline.

Read from what is really installed: the distributions that the product asks for, and what those ask for, each with its version, licence
and package URL (purl). Source: CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Final

from gateway.commands import Failure

_PRODUCT: Final = "sekisho"
_MARKER_OF_EXTRA: Final = re.compile(r"extra\s*==")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_LICENCE: Final = 100


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("sbom", help="部品表 / what it is made of (CycloneDX), and under which licences")
    command.add_argument("--licences", action="store_true", help="a list for people instead")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    found = parts()
    if arguments.licences:
        width = max(len(_label(one)) for one in found)
        sys.stdout.write("".join(f"{_label(one):<{width}}  {licence(one)}\n" for one in found))
    else:
        json.dump(document(found), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    return 0


def parts() -> list[metadata.Distribution]:
    """The product's own requirements and theirs, by name, without the product. Raises Failure when it is not installed."""
    try:
        waiting = list(_requires(metadata.distribution(_PRODUCT)))
    except metadata.PackageNotFoundError:
        raise Failure(f"{_PRODUCT} is not installed as a package: its requirements are not known here") from None
    found: dict[str, metadata.Distribution] = {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:       # for another platform
            continue
        waiting += _requires(found[name])
    return [found[name] for name in sorted(found)]


def _requires(one: metadata.Distribution) -> Iterator[str]:
    for line in one.requires or ():
        requirement, _, marker = line.partition(";")
        name = _NAME.match(requirement.strip())
        if name is not None and not _MARKER_OF_EXTRA.search(marker):
            yield canonical(name[0])
        elif name is not None and f"{name[0]}" and _of_extra_in_use(one, marker):
            yield canonical(name[0])


def _of_extra_in_use(one: metadata.Distribution, marker: str) -> bool:
    """`psycopg[binary]`: the one extra that the product asks for."""
    return canonical(one.name) == "psycopg" and "binary" in marker


def canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(one: metadata.Distribution) -> str:
    """As the distribution states it: an SPDX expression, else its text, else its classifiers."""
    said = one.metadata
    expression = said.get("License-Expression") or ""
    text = " ".join((said.get("License") or "").split())
    classifiers = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    short = text if 0 < len(text) <= _LONGEST_LICENCE else ""
    return expression or short or ", ".join(classifiers) or "not stated"


def document(found: list[metadata.Distribution]) -> dict[str, Any]:
    """One CycloneDX document; the same installation gives the same one."""
    product = metadata.distribution(_PRODUCT)
    components = [_component(one) for one in found]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([product.version, *(one["purl"] for one in components)]))
    named = {canonical(one.name): _purl(one) for one in found}
    edges = [{"ref": _purl(one), "dependsOn": sorted({named[name] for name in _requires(one) if name in named})} for one in found]
    own = {"ref": _purl(product), "dependsOn": sorted({named[name] for name in _requires(product) if name in named})}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": _purl(product), "name": _PRODUCT, "version": product.version},
            "properties": [{"name": "sekisho:python", "value": platform.python_version()}],
        },
        "components": components,
        "dependencies": [own, *edges],
    }


def _component(one: metadata.Distribution) -> dict[str, Any]:
    said = licence(one)
    spdx = bool(one.metadata.get("License-Expression"))
    return {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.name,
        "version": one.version,
        "purl": _purl(one),
        "licenses": [{"expression": said} if spdx else {"license": {"name": said}}],
    }


def _purl(one: metadata.Distribution) -> str:
    return f"pkg:pypi/{canonical(one.name)}@{one.version}"


def _label(one: metadata.Distribution) -> str:
    return f"{one.name} {one.version}"
