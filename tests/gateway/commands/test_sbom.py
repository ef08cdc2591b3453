"""`sekisho sbom`: everything that the product asks for is in it, and what only the tests ask for is not."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from gateway import cli
from gateway.commands import sbom

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def installed() -> set[str]:
    try:
        metadata.distribution("sekisho")
    except metadata.PackageNotFoundError:
        pytest.skip("the product is not installed as a package here")
    return {sbom.canonical(one.name) for one in sbom.parts()}


def asked_for(extra: str = "") -> set[str]:
    """By the metadata of what is installed, which may be older than pyproject.toml."""
    found = set()
    for line in metadata.requires("sekisho") or ():
        of = re.search(r"extra\s*==\s*['\"](\w+)['\"]", line)
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if name is not None and (of[1] if of else "") == extra:
            found.add(sbom.canonical(name[0]))
    return found


def test_all_that_the_product_asks_for_and_what_that_asks_for(installed: set[str]) -> None:
    assert asked_for() <= installed
    assert {"yarl", "psycopg-binary", "cffi"} <= installed, "also what is asked for by others, and by an extra"


def test_nothing_of_the_tests(installed: set[str]) -> None:
    assert {"pytest", "playwright", "hypothesis"} <= asked_for("test")
    assert not installed & {"pytest", "playwright", "hypothesis", "mypy", "ruff", "xlwt"}


def test_the_document_is_cyclonedx(installed: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sbom"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["serialNumber"])
    own = document["metadata"]["component"]
    assert own["version"] == metadata.version("sekisho")
    references = [one["bom-ref"] for one in document["components"]] + [own["bom-ref"]]
    assert len(set(references)) == len(references) == len(installed) + 1
    for one in document["components"]:
        assert one["purl"] == f"pkg:pypi/{sbom.canonical(one['name'])}@{one['version']}"
        assert one["licenses"]
    for edge in document["dependencies"]:
        assert edge["ref"] in references
        assert set(edge["dependsOn"]) <= set(references)
    (root,) = [edge for edge in document["dependencies"] if edge["ref"] == own["bom-ref"]]
    assert len(root["dependsOn"]) == len(asked_for())
    assert cli.main(["sbom"]) == 0
    assert json.loads(capsys.readouterr().out) == document, "the same installation, the same document"


def test_every_licence_is_stated(installed: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sbom", "--licences"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(installed)
    assert not [line for line in lines if line.endswith("not stated")]


def test_the_lock_names_all_that_is_asked_for() -> None:
    lock, project = (TOP / "deploy/requirements.lock").read_text("utf-8"), tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    locked = {sbom.canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    asked = {sbom.canonical(re.split(r"[\[><=;~ ]", line)[0]) for line in project["project"]["dependencies"]}
    assert asked <= locked, "make lock"


def test_a_product_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sbom, "_PRODUCT", "no-such-distribution")
    assert cli.main(["sbom"]) == 1
    assert "not installed" in capsys.readouterr().err
