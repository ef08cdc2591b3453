"""The references say what the code says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tests.house import references

NAMES = ("settings.md", "findings.md", "replies.md", "metrics.md", "commands.md", "interface.md")


@pytest.fixture(scope="module")
def texts() -> Mapping[str, str]:
    return references.printed(asyncio.run(references.documents()))


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_is_the_one_the_code_prints(texts: Mapping[str, str], name: str) -> None:
    assert (references.FOLDER / name).read_text("utf-8") == texts[name], "run: make reference"


def test_every_reference_is_printed_from_the_code(texts: Mapping[str, str]) -> None:
    assert {path.name for path in references.FOLDER.iterdir()} == set(NAMES) == set(texts)


def test_every_endpoint_is_somebodys_or_for_machines(texts: Mapping[str, str]) -> None:
    """A new endpoint without its row in the table of permissions would be read here as one for anybody."""
    open_to_all = {line.split("`")[1] for line in texts["interface.md"].splitlines() if "| anybody |" in line}
    assert open_to_all == {"GET /api/v1/openapi.json", "GET /healthz", "GET /readyz", "GET /metrics"}
