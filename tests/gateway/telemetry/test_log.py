"""The log: what it is about is in every line, and nobody can be known by it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.telemetry import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    held = io.StringIO()
    monkeypatch.setattr(sys, "stderr", held)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    log.start("info", jail="NOT REQUIRED")
    yield held
    root.handlers[:], _ = before
    root.setLevel(before[1])


def said(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    log.get("gateway.x").warning("it happened\nreally", receipt_no="20261118-000001", count=3, kinds=("a", "b"), none=None)
    (line,) = said(lines)
    assert line["event"] == "it happened\nreally"
    assert (line["level"], line["in"], line["jail"]) == ("warning", "gateway.x", "NOT REQUIRED")
    assert (line["receipt_no"], line["count"], line["kinds"], line["none"]) == ("20261118-000001", 3, ["a", "b"], None)
    assert len(lines.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"password": "hunter2"}, {"password": "[redacted]"}),
        ({"access_token": "abc", "set_cookie": "x=y"}, {"access_token": "[redacted]", "set_cookie": "[redacted]"}),
        ({"name": "住民税 見積書.DOCX"}, {"name": "….docx"}),
        ({"subject": "人事異動について"}, {"subject": "…"}),
        ({"names": ["a.pdf", "b.xlsx"]}, {"names": ["….pdf", "….xlsx"]}),
        ({"received_by": ["kakari@town.example.jp"]}, {"received_by": ["[redacted]@town.example.jp"]}),
        ({"error": "550 no such user <suzuki.hanako+x@city.example.jp>"}, {"error": "550 no such user <[redacted]@city.example.jp>"}),
        ({"where": "postgresql://sekisho:s3cret@db/sekisho"}, {"where": "postgresql://[redacted]@db/sekisho"}),
        ({"error": "Authorization: Bearer abcdef123456"}, {"error": "Authorization: Bearer [redacted]"}),
        ({"detail": {"secret_key": 1, "to": "a@b.jp"}}, {"detail": {"secret_key": "[redacted]", "to": "[redacted]@b.jp"}}),
        ({"text": "x" * 5_000}, {"text": "x" * 2_000 + "…"}),
        ({"many": list(range(200))}, {"many": list(range(50))}),
        ({"size": 20, "ok": True, "part": 0.5}, {"size": 20, "ok": True, "part": 0.5}),
    ],
)
def test_nobody_is_known_by_a_line(lines: io.StringIO, facts: dict[str, object], told: dict[str, object]) -> None:
    log.get("x").info("event", **facts)
    (line,) = said(lines)
    assert {name: line[name] for name in told} == told


def test_events_and_tracebacks_too(lines: io.StringIO) -> None:
    try:
        raise ValueError("mail for tanaka@city.example.jp failed")
    except ValueError:
        log.get("x").exception("it failed for tanaka@city.example.jp")
    (line,) = said(lines)
    assert "tanaka" not in lines.getvalue()
    assert "[redacted]@city.example.jp" in line["event"]
    assert "ValueError" in line["traceback"]


async def test_what_it_is_about_goes_with_the_task(lines: io.StringIO) -> None:
    logger = log.get("x")

    async def one(number: str) -> None:
        with log.about(number):
            logger.info("begun")
            await asyncio.sleep(0)
            await asyncio.create_task(deeper())

    async def deeper() -> None:
        logger.info("deeper")

    await asyncio.gather(one("A"), one("B"))
    logger.info("outside")
    assert [(line["event"], line.get("receipt_no")) for line in said(lines)] == [
        ("begun", "A"), ("begun", "B"), ("deeper", "A"), ("deeper", "B"), ("outside", None)
    ]  # fmt: skip


def test_a_fact_of_its_own_goes_first(lines: io.StringIO) -> None:
    with log.about("A"):
        log.get("x").info("another", receipt_no="B")
    assert said(lines)[0]["receipt_no"] == "B"
