"""What must not drift apart: codes and their texts, sanitizers and their second opinions, tables and what they describe."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from deploy import formats as formats_table
from gateway import config
from gateway.road import workers
from gateway.telling.notices import REASONS
from sanitizers.findings import CODES, FAMILIES
from sanitizers.formats import SANITIZERS
from sanitizers.jail import walls
from sanitizers.model import EXTENSIONS, Kind, Reason
from sanitizers.verify import VERIFIERS

TOP = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("gateway", "mail", "sanitizers") for path in (TOP / room).rglob("*.py"))
_PROPER_NAMES = {"JavaScript", "RichMedia", "XFA"}
_CODE = re.compile(r"[a-z]+\.[a-z0-9_]+")


def _strings(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_finding_code_is_declared_once_with_two_texts() -> None:
    assert sum(len(family.CODES) for family in FAMILIES) == len(CODES)
    for code in CODES.values():
        assert _CODE.fullmatch(code.code), code
        assert code.ja, code
        assert code.en, code
        assert not code.ja.isascii() or code.ja in _PROPER_NAMES, code


def test_every_finding_code_is_used() -> None:
    """Whole, or by its second half where a family of containers shares one piece of code."""
    used = set().union(*(_strings(path) for path in SOURCES if "findings" not in path.parts))
    computed = {f"file.{reason}" for reason in Reason}
    idle = {code for code in CODES if not {code, code.partition(".")[2], f".{code.partition('.')[2]}"} & used}
    assert idle - computed == set()


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(Reason)
    assert {f"file.{reason}" for reason in Reason} <= set(CODES)


def test_no_kind_has_two_sanitizers() -> None:
    kinds = [kind for sanitizer in SANITIZERS for kind in sanitizer.kinds]
    assert len(kinds) == len(set(kinds))


def test_every_sanitizer_says_what_it_does() -> None:
    for sanitizer in SANITIZERS:
        assert sanitizer.removes and sanitizer.keeps and sanitizer.refuses and sanitizer.spec, sanitizer.family


def test_every_kind_that_can_come_out_has_a_second_opinion_and_an_extension() -> None:
    assert set(VERIFIERS) <= set(EXTENSIONS)
    assert set(VERIFIERS) <= {kind for sanitizer in SANITIZERS for kind in sanitizer.kinds} | {Kind.DOCX, Kind.XLSX, Kind.PPTX}


def test_the_readme_table_of_formats_is_the_one_the_code_prints() -> None:
    text = (TOP / "README.md").read_text("utf-8")
    assert formats_table.table() in text, "run: python deploy/formats.py --write"


def test_every_format_module_says_its_four_things() -> None:
    for sanitizer in SANITIZERS:
        module = sanitizer.sanitize.__module__
        path = TOP / Path(*module.split("."))
        package = path if path.is_dir() else path.parent if path.parent.name != "formats" else None
        files = list(package.glob("*.py")) if package else [path.with_suffix(".py")]
        texts = [ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for file in files]
        assert any(all(word in text for word in ("Removes:", "Keeps:", "Refuses:", "Spec:")) for text in texts), module


def test_every_module_says_what_it_is() -> None:
    silent = [str(path.relative_to(TOP)) for path in SOURCES if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


@pytest.mark.parametrize("room", ["gateway", "mail", "sanitizers", "rules", "tests", "perf", "deploy"])
def test_every_room_has_its_readme(room: str) -> None:
    assert (TOP / room / "README.md").stat().st_size > 200


def test_the_project_speaks_of_itself_only() -> None:
    """No machine paths and no registry hosts in anything that is handed on."""
    foreign = re.compile("/" + "work/|/" + "root/|py" + r"pi\.org|python" + r"hosted\.org|np" + r"mjs\.|deb" + r"ian\.org")
    files = [*TOP.glob("*.md"), *TOP.glob("*.toml"), *(TOP / "deploy").glob("*"), *SOURCES, *(TOP / "tests").rglob("*.py"), TOP / "Makefile"]
    found = [str(path.relative_to(TOP)) for path in files if path.is_file() and foreign.search(path.read_text("utf-8"))]
    assert found == []


def test_both_sides_ask_for_the_same_walls() -> None:
    """Each has a list of its own, as the road believes nothing that it is told."""
    assert workers.REQUIRED_WALLS == walls.REQUIRED


def test_every_setting_of_the_contract_is_there() -> None:
    document = tomllib.loads(config.commented())
    for section, keys in {
        "storage": ["path"],
        "smtp": ["listen", "domains", "size_limit", "trusted_hops"],
        "relay": ["next_hop", "retry"],
        "drop": ["listen"],
        "pickup": ["listen"],
        "admin": ["listen"],
        "jail": ["required"],
    }.items():
        for key in keys:
            assert key in document[section]
