"""An installation in a folder of its own, and the `sekisho` command run inside this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway import cli
from gateway.telemetry import log
from tests.build.face import Town, quick_passwords, town

T = TypeVar("T")


@dataclass
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def failed(self, status: int, word: str = "") -> None:
        """With that status, one line on standard error, no traceback."""
        assert self.status == status, self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("sekisho: ")
        assert "Traceback" not in self.err
        assert word in self.err


@dataclass
class Installation:
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Ran:
        self.capture.readouterr()
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = self.capture.readouterr()
        return Ran(status, out, err)

    def prepare(self, deed: Callable[[Town], Coroutine[Any, Any, T]]) -> T:
        """Something that happened in this installation before."""

        async def done() -> T:
            async with town(self.folder) as place:
                return await deed(place)

        return asyncio.run(done())


@pytest.fixture
def sekisho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installation:
    quick_passwords(monkeypatch)
    monkeypatch.setattr(log, "start", lambda *_, **__: None)      # the log of the test run stays as it is
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "var"
    folder.mkdir()
    monkeypatch.setenv("SEKISHO_STORAGE_PATH", str(folder))
    monkeypatch.setenv("SEKISHO_STORAGE_RESERVE", "1")
    monkeypatch.setenv("SEKISHO_RELAY_NEXT_HOP", "127.0.0.1:1")
    return Installation(folder, capsys)
