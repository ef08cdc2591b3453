"""自己点検票: every clause has an honest answer, and what stands badly is said."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from gateway import audit, config
from gateway.conformity.checks import CHECKS
from gateway.conformity.facts import Facts, Gathering, count
from gateway.conformity.sheet import TRAITS, Answer, Profile, clauses, sheet, sums
from gateway.doctor.openings import Openings, openings
from gateway.people.customs import Customs
from gateway.policy import Layer, Policy, load
from gateway.scanners.interface import Clean, Failed
from gateway.scanners.panel import Heard, Panel
from gateway.storage import evidence
from gateway.storage.journal import Journal
from tests.build.transfer import NOW, arrival, claimed, settlement


@pytest.fixture
async def facts(tmp_path: Path) -> AsyncIterator[Facts]:
    """Of a new installation that delivered one mail."""
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    await journal.accept(arrival())
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(), at=NOW)
    settings = config.load(None, {})
    gathering = Gathering(
        journal,
        settings.values,
        customs=Customs(),
        panel=Panel(),
        in_force=lambda: (Policy(), ("seccomp",), "rules-1"),
        clock=lambda: NOW + 60,
    )
    yield await gathering.facts()
    await journal.stop()


def answers(facts: Facts) -> dict[str, Answer]:
    return {row.clause.id: row.answer for row in sheet(facts)}


def judged(facts: Facts, name: str) -> tuple[str, str, str]:
    return CHECKS[name].judge(facts)


def test_the_clauses_name_checks_that_are_there_and_every_check_answers_one() -> None:
    named = {name for clause in clauses() for name in clause.checks}
    assert named == CHECKS.keys()
    assert len({clause.id for clause in clauses()}) == len(clauses()) > 150
    assert all(len(clause.quote) <= 40 for clause in clauses())


async def test_what_nothing_answers_is_not_called_answered(facts: Facts) -> None:
    for row in sheet(facts):
        if not row.clause.checks:
            assert row.answer is {"M": Answer.OPEN, "S": Answer.DUTY, "X": Answer.APART}[row.clause.kind]
    assert sums(sheet(facts))[Answer.OPEN] > 0


async def test_one_bodys_clauses(facts: Facts) -> None:
    policies = {row.clause.policy for row in sheet(facts, "熊本市")}
    assert policies == {"熊本市"}


async def test_counts_come_from_the_journal(facts: Facts) -> None:
    assert (facts.counted["received"], facts.counted["delivered"], facts.counted["unproven"]) == (1, 1, 0)
    assert facts.record_fault == ""
    assert judged(facts, "receipts")[0] == "fits"
    assert "1件" in judged(facts, "one_verdict")[2]


# What makes each check that can fail, fail.
BAD = {
    "receipts": lambda facts: counted(facts, unproven=1),
    "jail": lambda facts: msgspec.structs.replace(facts, walls=()),
    "relaxations": lambda facts: msgspec.structs.replace(
        facts, policy=Policy(treatment=msgspec.structs.replace(Policy().treatment, mail_links_defanged=False))
    ),
    "scanner_required": lambda facts: heard(facts, Heard("clamav", True, Failed("connection refused"))),
    "signature_age": lambda facts: heard(facts, Heard("clamav", True, Clean(), 1e9, stale=True)),
    "rescan": lambda facts: settings(facts, {"policy.rescan_days": 0}),
    "four_eyes": lambda facts: settings(facts, {"policy.four_eyes": False}),
    "no_relay": lambda facts: settings(facts, {"smtp.domains": ()}),
    "forwarding": lambda facts: settings(facts, {"lane.target_class": "internet"}),
    "sender_limits": lambda facts: settings(facts, {"lane.target_class": "internet", "smtp.sender_mails_per_hour": 100}),
    "size_limit": lambda facts: settings(facts, {"smtp.size_limit": 0}),
    "mail_warnings": lambda facts: settings(facts, {"mail.authentication": "off"}),
    "mail_tls": lambda facts: settings(facts, {"smtp.tls_certificate": ""}),
    "second_factor": lambda facts: customs(facts, second_factor="off"),
    "lockout": lambda facts: customs(facts, failures=100),
    "timeouts": lambda facts: customs(facts, idle=1e6),
    "elevation": lambda facts: customs(facts, elevation=0),
    "separation": lambda facts: counted(facts, auditors=0),
    "heads": lambda facts: counted(facts, departments=3, headless=1),
    "features": lambda facts: counted(facts, fiscal_year=2, unpermitted=1),
    "classification_asked": lambda facts: settings(facts, {"drop.classifications": ()}),
    "unknown_asked": lambda facts: settings(facts, {"drop.approval": "never"}),
    "record_intact": lambda facts: msgspec.structs.replace(facts, record_fault="row 7 is missing"),
    "retention": lambda facts: msgspec.structs.replace(facts, policy=Policy(original_days=10_000)),
    "web_tls": lambda facts: customs(facts, secure=False),
    "flow_table": lambda facts: opened(facts, ("192.0.2.1", 25), ("192.0.2.1", 8080)),
    "inside_only": lambda facts: settings(facts, {"admin.listen": ("0.0.0.0", 80)}),
    "sealed_at_rest": lambda facts: settings(facts, {"storage.key": ""}),
    "crypto_erase": lambda facts: settings(facts, {"storage.key": ""}),
    "box_quota": lambda facts: settings(facts, {"pickup.quota": 0}),
    "backed_up": lambda facts: counted(facts, backups=0),
    "restored": lambda facts: counted(facts, restored=0),
    "redundant": lambda facts: settings(counted(facts, nodes=1), {"storage.blobs": "s3://a/b"}),
    "emergency_exceptions": lambda facts: counted(facts, emergencies_late=1),
    "early_disposal": lambda facts: settings(facts, {"approvals.disposal": False}),
    "both_ways": lambda facts: facts,
    "given_out": lambda facts: facts,
    "exceptions_reviewed": lambda facts: counted(facts, young=0, exceptions_reviewed=0),
}
GOOD = {
    "both_ways": lambda facts: settings(facts, {"lane.other": "sekisho-out"}),
    "given_out": lambda facts: settings(facts, {"lane.other": "sekisho-out"}),
    "flow_table": lambda facts: opened(facts, ("192.0.2.1", 25)),
    "scanner_required": lambda facts: heard(facts, Heard("clamav", True, Clean(), 60.0)),
    "signature_age": lambda facts: heard(facts, Heard("clamav", True, Clean(), 60.0)),
    "mail_tls": lambda facts: settings(facts, {"smtp.tls_certificate": "a.pem"}),
    "separation": lambda facts: counted(facts, auditors=1),
    "heads": lambda facts: counted(facts, departments=3, headless=0),
    "classification_asked": lambda facts: settings(facts, {"drop.classifications": ("機密性2",)}),
    "unknown_asked": lambda facts: settings(facts, {"drop.approval": "unknown"}),
    "web_tls": lambda facts: customs(facts, secure=True),
    "sealed_at_rest": lambda facts: settings(facts, {"storage.key": "file:/a"}),
    "crypto_erase": lambda facts: settings(facts, {"storage.key": "file:/a"}),
    "backed_up": lambda facts: counted(facts, backups=7),
    "restored": lambda facts: counted(facts, restored=1),
    "redundant": lambda facts: settings(counted(facts, nodes=2), {"storage.blobs": "s3://a/b"}),
    "exceptions_reviewed": lambda facts: counted(facts, young=0, exceptions_reviewed=1),
}


def opened(facts: Facts, *listening: tuple[str, int], forwards: bool = False) -> Facts:
    return msgspec.structs.replace(facts, openings=Openings(frozenset(listening), forwards), ports=frozenset({25, 8443}))


def counted(facts: Facts, **numbers: int) -> Facts:
    return msgspec.structs.replace(facts, counted={**facts.counted, **numbers})


def settings(facts: Facts, changed: dict[str, object]) -> Facts:
    return msgspec.structs.replace(facts, settings=MappingProxyType({**facts.settings, **changed}))


def customs(facts: Facts, **changed: object) -> Facts:
    return msgspec.structs.replace(facts, customs=facts.customs._replace(**changed))


def heard(facts: Facts, *given: Heard) -> Facts:
    return msgspec.structs.replace(facts, heard=given)


@pytest.mark.parametrize("name", sorted(BAD))
async def test_each_check_that_can_fail_does(facts: Facts, name: str) -> None:
    assert judged(GOOD.get(name, lambda good: good)(facts), name)[0] == "fits"
    worse = BAD[name](facts)
    assert judged(worse, name)[0] == "fails"
    asked = [row.answer for row in sheet(worse) if name in row.clause.checks]
    assert asked
    assert set(asked) == {Answer.FAILS}


async def test_what_is_done_and_kept_is_counted_from_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    number = (await journal.accept(arrival()))[0]
    transfer = await journal.transfer(number)
    assert await journal.ask(lambda connection: count(connection, NOW)) | {"evidence": 0, "backups": 0, "young": 1} == await journal.ask(
        lambda connection: count(connection, NOW)
    )
    await journal.write(lambda connection: evidence.keep(connection, transfer, at=NOW, actor="a", reason="r"))
    await journal.record(at=NOW, actor="a", action="backup.made", subject="s", detail={})
    now, later = [await journal.ask(lambda connection, at=at: count(connection, at)) for at in (NOW + 60, NOW + 200 * 86_400)]  # type: ignore[misc]
    assert (now["evidence"], now["backups"], now["young"], now["nodes"]) == (1, 1, 1, 0)
    assert (later["evidence"], later["backups"], later["young"]) == (1, 0, 0), "a backup of long ago is none"
    await journal.write(lambda connection: evidence.let_go(connection, transfer, at=NOW, actor="a", reason="r"))
    assert (await journal.ask(lambda connection: count(connection, NOW)))["evidence"] == 0
    await journal.stop()


async def test_a_record_that_was_touched_is_found(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    for number in range(20):
        await journal.record(at=NOW + number, actor="a", action="b", subject="c", detail={})
    assert (await audit.verify_end(journal, 10)).broken is None
    await journal.write(lambda connection: connection.exec_driver_sql("DROP TRIGGER audit_refuses_update"))
    await journal.write(lambda connection: connection.exec_driver_sql("UPDATE audit SET actor = 'x' WHERE seq = 15"))
    assert (await audit.verify_end(journal, 10)).broken == 15
    assert (await audit.verify_end(journal, 16)).broken is None
    await journal.stop()


def test_what_a_profile_lacks_is_not_applicable_and_nothing_else_changes(facts: Facts) -> None:
    assert {trait for clause in clauses() for trait in clause.of} == TRAITS
    whole = {row.clause.id: row for row in sheet(facts)}
    assert {row.clause.id: row for row in sheet(facts, profile=Profile.BOTH)} == whole
    for profile, trait in ((Profile.INBOUND, "outbound"), (Profile.NO_LGWAN, "lgwan")):
        rows = sheet(facts, profile=profile)
        left = {row.clause.id for row in rows if row != whole[row.clause.id] or trait in row.clause.of}
        assert left == {clause.id for clause in clauses() if trait in clause.of}
        assert {row.answer for row in rows if row.clause.id in left} == {Answer.APART}
    settings = {**facts.settings, "service.profile": "inbound"}
    assert sheet(msgspec.structs.replace(facts, settings=settings)) == sheet(facts, profile=Profile.INBOUND)


_OUT = {"lane.target_class": "internet", "lane.name": "outbound", "lane.other": "sekisho-in", "scanners.required": ("clamav",), "drop.approval": "always"}
_BARE = {"comments_kept": False, "capture_date_kept": False, "pdf_properties_kept": ()}


def going_out(facts: Facts, changed: dict[str, object], treatment: dict[str, object]) -> Facts:
    policy = Policy(layers=(Layer(path=("lanes", "outbound"), lane="outbound", treatment=treatment),))
    return msgspec.structs.replace(settings(facts, _OUT | changed), policy=policy)


@pytest.mark.parametrize(
    ("changed", "treatment", "lacks"),
    [
        ({}, {}, ""), ({"scanners.required": ()}, {}, "必須の検査エンジン"), ({"drop.approval": "unknown"}, {}, "すべての取込みの承認"), ({"lane.other": ""}, {}, "逆方向の導入"),
        ({}, {"comments_kept": True}, "メタデータの除去"), ({}, {"capture_date_kept": True}, "メタデータの除去"), ({}, {"pdf_properties_kept": ("Title",)}, "メタデータの除去"),
        ({"lane.name": "elsewhere"}, {}, "メタデータの除去"),
    ],
)  # fmt: skip
def test_a_way_out_is_scanned_bare_and_approved(facts: Facts, changed: dict[str, object], treatment: dict[str, object], lacks: str) -> None:
    given = going_out(facts, changed, _BARE | treatment)
    standing, _, evidence = judged(given, "both_ways")
    assert standing == ("fails" if lacks else "fits")
    assert evidence.startswith(f"不足：{lacks}") if lacks else evidence == "どの方向も同じ無害化・検査・記録です"
    assert judged(given, "given_out")[0] == ("fails" if "drop.approval" in changed else "fits")


def test_a_way_in_says_who_serves_the_other_one(facts: Facts) -> None:
    assert [judged(facts, name)[0] for name in ("both_ways", "given_out")] == ["fails", "fails"]
    assert "逆方向の通信はありません" in judged(settings(facts, {"lane.other": "none"}), "both_ways")[1]
    assert judged(settings(facts, {"lane.other": "sekisho-out"}), "given_out")[2].endswith("逆方向の導入（sekisho-out）で判定します")


async def test_forwarding_is_judged_by_what_holds_where_mail_leaves(facts: Facts) -> None:
    def said(policy: str, target: str = "internet") -> tuple[str, str, str]:
        way = settings(facts, {"lane.target_class": target, "lane.name": "outbound", "service.organisation": "A町"})
        return judged(msgspec.structs.replace(way, policy=load(policy)), "forwarding")

    held = "[treatment]\nmail_forwards_held = true\nmail_author_domains = ['a.example.jp', 'b.example.jp']\n"
    standing, setting, evidence = said(held)
    assert (standing, setting) == ("fits", "mail_forwards_held = 有効、差出人のドメイン：a.example.jp、b.example.jp")
    assert "例外：なし" in evidence
    assert said("")[:2] == ("fails", "mail_forwards_held = 無効、差出人のドメイン：問わない")
    assert said("[lanes.outbound.treatment]\nmail_forwards_held = true")[0] == "fits"
    for elsewhere in ("[lanes.inbound.treatment]\nmail_forwards_held = true", "[organisations.'B町'.treatment]\nmail_forwards_held = true"):
        assert said(elsewhere)[0] == "fails", elsewhere
    for milder in ("[lanes.outbound.treatment]\nmail_forwards_held = false", "[organisations.'A町'.treatment]\nmail_forwards_held = false"):
        assert said(held + milder)[0] == "fails", milder
    standing, _, evidence = said(held + "[groups.list]\nsenders = ['giji-bounces@a.example.jp']\ntreatment = {mail_forwards_held = false}")
    assert (standing, "例外：groups.list" in evidence) == ("fits", True), "who is excepted is said"
    for inside in ("internal", "lgwan"):
        assert (said("", inside)[0], inside in said("", inside)[2]) == ("fits", True)


async def test_both_limits_of_a_sender_are_wanted_where_mail_leaves(facts: Facts) -> None:
    def said(mails: int, recipients: int, target: str = "internet") -> tuple[str, str, str]:
        limits = {"smtp.sender_mails_per_hour": mails, "smtp.sender_recipients_per_hour": recipients}
        return judged(settings(counted(facts, senders_stopped=3), {"lane.target_class": target, **limits}), "sender_limits")

    assert said(200, 1_000)[:2] == ("fits", "差出人1人の1時間の上限：メール 200、宛先 1000")
    assert "中継停止中の差出人 3人" in said(200, 1_000)[2]
    assert [said(*limits)[0] for limits in ((0, 1_000), (200, 0), (0, 0))] == ["fails"] * 3
    assert said(0, 0)[1] == "差出人1人の1時間の上限：メール 上限なし、宛先 上限なし"
    assert said(0, 0, "internal")[0] == "fits"
    assert "外部ではありません" in said(0, 0, "internal")[2]


async def test_what_listens_beside_the_flow_table_or_passes_on_is_said(facts: Facts) -> None:
    assert judged(opened(facts, ("192.0.2.1", 8080)), "flow_table")[2] == "表にない待受け：192.0.2.1:8080。IP転送なし"
    assert judged(opened(facts, ("192.0.2.1", 25), forwards=True), "flow_table")[0] == "fails"
    assert judged(msgspec.structs.replace(facts, openings=None), "flow_table")[0] == "fails", "what cannot be seen is not answered"
    assert judged(facts, "mynumber")[0] == "fits"


def test_listening_sockets_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue\n"
    four = "   0: 0100007F:1F90 00000000:0000 0A 0\n   1: 00000000:0019 00000000:0000 0A 0\n   2: 010200C0:01BB 00000000:0000 01 0\n"
    six = f"   0: {'0' * 32}:0050 {'0' * 32}:0000 0A 0\n   1: 0000000000000000FFFF0000010200C0:0016 {'0' * 32}:0000 0A 0\n"
    for name, text in (("tcp", head + four), ("tcp6", head + six), ("forward", "0\n"), ("bad", head + "nonsense\n")):
        (tmp_path / name).write_text(text)
    tables = (tmp_path / "tcp", tmp_path / "tcp6")
    assert openings(tables, (tmp_path / "forward",)) == Openings(frozenset({("0.0.0.0", 25), ("::", 80), ("192.0.2.1", 22)}), False)
    (tmp_path / "forward").write_text("1\n")
    assert openings(tables, (tmp_path / "forward",)) == Openings(frozenset({("0.0.0.0", 25), ("::", 80), ("192.0.2.1", 22)}), True)
    assert openings((tmp_path / "bad",), ()) is None
    assert openings((tmp_path / "none",), ()) is None


async def test_a_socket_that_this_machine_opens_is_seen() -> None:
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        seen = openings()
        assert seen is None or listening.getsockname() in seen.listening
