"""A candidate set of rules, before it is published, over the traffic that is kept: new hits, lost hits, changed verdicts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from gateway.publishing import rulesets
from tests.e2e.service import NextHop, Service
from tests.e2e.test_mail import arrived, send

RULE = """
rule Test_Any_Pdf : test {{ meta: severity = "{severity}" strings: $a = "%PDF-" condition: $a at 0 }}
"""


def candidate(folder: Path, severity: str) -> Path:
    """The built-in rules, and one more for every PDF."""
    folder.mkdir()
    for name, text in rulesets.read(rulesets.builtin_folder()).items():
        more = '\n[Test_Any_Pdf]\nstate = "enabled"\nowner = "test"\nwhy_ja = "試験"\nwhy_en = "test"\n' if name == "catalog.toml" else ""
        (folder / name).write_text(text + more, "utf-8")
    (folder / "candidate.yar").write_text(RULE.format(severity=severity))
    return folder


async def test_what_a_new_rule_would_have_stopped(service: Service, next_hop: NextHop, tmp_path: Path) -> None:
    receipts = [(await asyncio.to_thread(send, service)).rpartition(" ")[2] for _ in range(2)]
    await arrived(next_hop, 2)

    def backtest(rules: Path | None) -> list[dict[str, object]]:
        words = () if rules is None else ("--rules", str(rules))
        done = service.command("rules", "backtest", "--json", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    *nothing, last = await asyncio.to_thread(backtest, None)
    assert nothing == [], "the rules in force make of it what they made of it"
    assert {name: last["summary"][name] for name in ("tested", "gone", "failed", "changed", "new", "lost")} == {
        "tested": 2, "gone": 0, "failed": 0, "changed": 0, "new": {}, "lost": {},
    }  # fmt: skip
    *changed, last = await asyncio.to_thread(backtest, candidate(tmp_path / "medium", "medium"))
    assert {row["receipt_no"] for row in changed} == set(receipts)
    assert all((row["new"], row["before"], row["after"]) == (["Test_Any_Pdf"], "sanitized", "sanitized") for row in changed)
    assert len(next_hop.messages) == 2, "a back-test delivers nothing"
    assert {row["state"] for row in await asyncio.to_thread(service.transfers)} == {"delivered"}
