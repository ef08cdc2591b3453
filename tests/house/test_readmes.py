"""READMEs name what is there, all of it, and nothing that is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAPERS = ("README.md", "README.ja.md", "CONTRIBUTING.md", "DECISIONS.md", "SECURITY.md")
ROOMS = (
    "gateway", *sorted(f"gateway/{one.parent.name}" for one in (TOP / "gateway").glob("*/__init__.py")), "mail", "perf", "sanitizers",
    "sanitizers/formats", "tests",
)  # fmt: skip
_CODE = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"(?:gateway|mail|sanitizers|rules|tests|perf|deploy)/[\w./-]*")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def _named(paper: Path) -> set[str]:
    return set(_CODE.findall(_FENCED.sub("", paper.read_text("utf-8"))))


def _things(room: Path) -> Iterator[str]:
    for one in sorted(room.iterdir()):
        if one.is_dir() and any(one.glob("**/*.py")):
            yield f"{one.name}/"
        elif one.suffix == ".py" and not one.name.startswith(("_", "conftest")):
            yield one.name


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_each_of_its_modules_is_for(room: str) -> None:
    said = {name.removeprefix(f"{room}/") for name in _named(TOP / room / "README.md")}
    silent = [name for name in _things(TOP / room) if not any(fnmatch(name, pattern) for pattern in said)]
    assert [name for name in silent if not (room == "tests" and (TOP / name).is_dir())] == [], f"say it in {room}/README.md"


@pytest.mark.parametrize("paper", [*PAPERS, *(f"{room}/README.md" for room in (*ROOMS, "deploy", "rules"))])
def test_what_a_paper_names_is_there(paper: str) -> None:
    text = _FENCED.sub("", (TOP / paper).read_text("utf-8"))
    named = {found.group() for word in _CODE.findall(text) if (found := _PATH.fullmatch(word))}
    assert [name for name in sorted(named) if not (TOP / name).exists() and not (TOP / paper).parent.joinpath(name).exists()] == []
    assert [link for link in _LINK.findall(text) if not ((TOP / paper).parent / link).exists()] == []


def test_both_languages_show_the_same_pictures_and_papers() -> None:
    english, japanese = ((TOP / name).read_text("utf-8") for name in ("README.md", "README.ja.md"))
    rooms = re.compile(r"\]\(((?:deploy|gateway|mail|sanitizers|rules|tests|perf|(?!README)[A-Z]+\.md)[^)]*)\)")
    assert set(rooms.findall(english)) == set(rooms.findall(japanese))
