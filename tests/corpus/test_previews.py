"""Previews of real files, many of them hostile: each is looked at in the jail, none ends a child or outlasts its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.road.previews import LIMITS, File, Previews
from gateway.road.workers import Workers
from sanitizers.model import Reason
from sanitizers.preview_words import Look, View
from tests.build.corpus import CORPUS, manifest
from tests.build.transfer import MemoryBlobs

_HOSTILE = ("hostile", "malformed", "js", "script", "openaction", "dde", "vba", "xlm", "traversal", "embedded", "external", "on-handler", "bad-")
# What a file may be to blame for; never these.
_OURS = (Reason.WORKER_CRASHED, Reason.TIMEOUT)
_VIEWS = (View.CONTENT, View.PAGE, View.PARTS, View.GIST)


def _paths(*, hostile: bool) -> list[Path]:
    rows = manifest()
    if not rows:
        pytest.skip("the shared corpus is not here")
    chosen = [row for row in rows if not hostile or any(word in row["traits"] for word in _HOSTILE)]
    return [CORPUS / row["path"] for row in chosen if int(row["size"])]


async def _looked(paths: list[Path], views: tuple[View, ...]) -> dict[str, str]:
    """Path and view → fault, of those that are ours to answer for; and that something of nearly all was shown."""
    blobs = MemoryBlobs()
    looking = Previews(blobs, lambda rules: Workers(rules, 2), limits=LIMITS)
    wrong: dict[str, str] = {}
    shown = 0
    try:
        for path in paths:
            file = File((await blobs.put(path.read_bytes())).digest, path.name)
            answers = [(view, await looking.look(file, Look(view=view))) for view in views]
            wrong |= {f"{path.name} {view}": seen.shown.fault for view, seen in answers if seen.shown.fault in _OURS}
            shown += any(seen.png or seen.shown.lines or seen.shown.tables or seen.shown.head or seen.shown.parts for _, seen in answers)
            await blobs.delete(file.sha256)
    finally:
        await looking.stop()
    assert shown > len(paths) * 0.85
    return wrong


async def test_hostile_files_are_shown_and_do_no_harm() -> None:
    assert await _looked(_paths(hostile=True)[::3], (View.CONTENT, View.PAGE, View.PARTS)) == {}


@pytest.mark.slow
async def test_every_file_in_every_view() -> None:
    assert await _looked(_paths(hostile=False), _VIEWS) == {}
