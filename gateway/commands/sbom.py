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
from typing import Any, Final, NamedTuple

from gateway.commands import Failure

_PRODUCT: Final = "sekisho"
_REQUIREMENT: Final = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?")
_OF_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
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
    met: set[_Wanted] = set()
    while waiting:
        wanted = waiting.pop()
        if wanted in met:
            continue
        met.add(wanted)
        try:
            found[wanted.name] = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:       # for another platform
            continue
        waiting += _requires(found[wanted.name], wanted.extras)
    return [found[name] for name in sorted(found)]


class _Wanted(NamedTuple):
    """`psycopg[binary]`: a name and what is asked of it besides."""

    name: str
    extras: frozenset[str] = frozenset()


def _requires(one: metadata.Distribution, extras: frozenset[str] = frozenset()) -> Iterator[_Wanted]:
    """PEP 508, as far as it matters what is installed: whatever else a marker says was decided by who installed it."""
    for line in one.requires or ():
        match = _REQUIREMENT.match(line)
        extra = _OF_EXTRA.search(line.partition(";")[2])
        if match is not None and (extra is None or extra[1] in extras):
            yield _Wanted(canonical(match["name"]), frozenset(part.strip() for part in (match["extras"] or "").split(",") if part.strip()))


def canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(one: metadata.Distribution) -> str:
    """As the distribution states it: an SPDX expression, else its text, else its classifiers."""
    expression = _first(one, "License-Expression")
    text = " ".join(_first(one, "License").split())
    classifiers = [line.rpartition(" :: ")[2] for line in one.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    short = text if 0 < len(text) <= _LONGEST_LICENCE else ""
    return expression or short or ", ".join(classifiers) or "not stated"


def _first(one: metadata.Distribution, field: str) -> str:
    return str((one.metadata.get_all(field) or [""])[0])


def document(found: list[metadata.Distribution]) -> dict[str, Any]:
    """One CycloneDX document; the same installation gives the same one."""
    product = metadata.distribution(_PRODUCT)
    components = [_component(one) for one in found]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([product.version, *(one["purl"] for one in components)]))
    named = {canonical(one.name): _purl(one) for one in found}
    edges = [
        {"ref": _purl(one), "dependsOn": sorted({named[wanted.name] for wanted in _requires(one) if wanted.name in named})}
        for one in (product, *found)
    ]
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
        "dependencies": edges,
    }


def _component(one: metadata.Distribution) -> dict[str, Any]:
    said = licence(one)
    spdx = bool(_first(one, "License-Expression"))
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
