"""The record beside its anchors: what the chain alone cannot show is found, by somebody with the database in his hands as well."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509

from gateway import audit
from gateway.auditing.anchors import ANCHORED, Anchor, Anchoring, Place, PlaceError
from gateway.auditing.places import FilePlace, SyslogPlace, TimestampPlace, syslog_line
from gateway.auditing.timestamps import TimestampError, answered, question, verified
from gateway.model import rfc3339
from gateway.storage import ledger
from gateway.storage.journal import Journal
from gateway.storage.ledger import GENESIS, Entry
from tests.build.transfer import DAY, NOW

ROWS = 8
_TRIGGERS = ("audit_refuses_update", "audit_refuses_delete", "audit_refuses_replace")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    for number in range(ROWS):
        await journal.record(at=NOW + number, actor="kacho", action="login", subject=f"件 {number}", detail={"n": number})
    yield journal
    await journal.stop()


@pytest.fixture
def anchoring(journal: Journal, tmp_path: Path) -> Anchoring:
    return Anchoring(journal, [FilePlace(tmp_path / "anchors.jsonl")], lambda: NOW + 60, organisation="町")


def tamper(path: Path, *statements: str, also: Callable[[sqlite3.Connection], None] = lambda _: None) -> None:
    """As somebody with the database in his hands would."""
    with sqlite3.connect(path / "sekisho.db") as raw:
        for trigger in _TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            raw.execute(statement)
        also(raw)
    raw.close()


def forge(raw: sqlite3.Connection) -> None:
    """All hashes anew from the first row on: a chain that is whole in itself."""
    before = GENESIS
    for row in raw.execute("SELECT seq, at, actor, action, subject, detail FROM audit ORDER BY seq").fetchall():
        entry = Entry(seq=row[0], at=row[1], actor=row[2], action=row[3], subject=row[4], detail=row[5], prev_hash=before, hash="")
        before = entry.computed()
        raw.execute("UPDATE audit SET prev_hash = ?, hash = ? WHERE seq = ?", (entry.prev_hash, before, row[0]))


async def test_an_anchor_stands_elsewhere_and_in_the_record(journal: Journal, anchoring: Anchoring, tmp_path: Path) -> None:
    said = await anchoring.anchor()
    assert said == {f"file {tmp_path}/anchors.jsonl": ""}
    (anchor,), faults = await anchoring.known()
    head = [entry async for entry in journal.entries()][ROWS - 1]
    assert (anchor.seq, anchor.hash, anchor.at, anchor.organisation, faults) == (ROWS, head.hash, rfc3339(NOW + 60), "町", {})
    assert [entry.action async for entry in journal.entries(after=ROWS)] == [ANCHORED]
    assert await anchoring.anchor() == {}, "an anchor alone needs no anchor"
    assert (tmp_path / "anchors.jsonl").stat().st_mode & 0o777 == 0o600


async def test_an_untouched_record_is_whole(anchoring: Anchoring) -> None:
    await anchoring.anchor()
    walked: list[int] = []
    verified, anchors, faults = await anchoring.verify(walked.append)
    assert (verified.entries, verified.broken, len(anchors), faults) == (ROWS + 1, None, 1, {})
    assert walked[-1] == ROWS + 1


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "detail", "prev_hash", "hash"])
async def test_one_changed_byte_is_found(anchoring: Anchoring, tmp_path: Path, column: str) -> None:
    await anchoring.anchor()
    tamper(tmp_path, f"UPDATE audit SET {column} = substr({column}, 1, length({column}) - 1) || '~' WHERE seq = 3")
    assert (await anchoring.verify())[0].broken == 3


@pytest.mark.parametrize("row", [1, 4, ROWS])
async def test_a_deleted_row_is_found(anchoring: Anchoring, tmp_path: Path, row: int) -> None:
    await anchoring.anchor()
    tamper(tmp_path, f"DELETE FROM audit WHERE seq = {row}")
    assert (await anchoring.verify())[0].broken == row


async def test_two_rows_that_changed_places_are_found(anchoring: Anchoring, tmp_path: Path) -> None:
    await anchoring.anchor()
    tamper(
        tmp_path,
        "UPDATE audit SET seq = 1000 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 1000",
    )
    assert (await anchoring.verify())[0].broken == 3


@pytest.mark.parametrize("left", [0, 1, ROWS - 1])
async def test_a_cut_end_is_found_by_the_anchor_alone(journal: Journal, anchoring: Anchoring, tmp_path: Path, left: int) -> None:
    await anchoring.anchor()
    tamper(tmp_path, f"DELETE FROM audit WHERE seq > {left}")
    assert (await audit.verify(journal)).broken is None, "the chain alone does not show it"
    verified = (await anchoring.verify())[0]
    assert (verified.broken, verified.why) == (left + 1, "the end of the record is missing")


async def test_a_chain_written_anew_is_found_by_the_anchor_alone(journal: Journal, anchoring: Anchoring, tmp_path: Path) -> None:
    await anchoring.anchor()
    tamper(tmp_path, "UPDATE audit SET actor = 'somebody' WHERE seq = 2", also=forge)
    assert (await audit.verify(journal)).broken is None, "the chain alone does not show it"
    verified = (await anchoring.verify())[0]
    assert (verified.broken, verified.why) == (ROWS, "is not the row that was anchored")


async def test_places_that_contradict_each_other_are_a_finding(anchoring: Anchoring, tmp_path: Path) -> None:
    await anchoring.anchor()
    (place,) = anchoring.places
    await place.put(Anchor(at=rfc3339(NOW), organisation="", seq=ROWS, hash="0" * 64))
    verified, _, _ = await anchoring.verify()
    assert (verified.broken, verified.why) == (ROWS, "the places do not say the same")


async def test_a_place_that_fails_keeps_no_other_back(journal: Journal, tmp_path: Path) -> None:
    good, bad = FilePlace(tmp_path / "anchors.jsonl"), FilePlace(tmp_path / "missing" / "anchors.jsonl")
    anchoring = Anchoring(journal, [bad, good], lambda: NOW)
    assert await anchoring.anchor() == {bad.name: "No such file or directory", good.name: ""}
    (tmp_path / "anchors.jsonl").write_text("not an anchor\n")
    anchors, faults = await anchoring.known()
    assert anchors == []
    assert "a line is no anchor" in faults[good.name]


# ----------------------------------------------------------------------------------------------------- after its time


async def purge(journal: Journal, before: float) -> None:
    assert await journal.write(lambda connection: ledger.purge(connection, before=before, at=NOW + DAY, actor="retention")) is not None


async def test_what_was_given_up_after_its_time_is_not_missing(journal: Journal, anchoring: Anchoring) -> None:
    await anchoring.anchor()
    await purge(journal, NOW + 4)
    verified, _, _ = await anchoring.verify()
    assert (verified.broken, verified.entries) == (None, ROWS + 1 - 4 + 1)
    await purge(journal, NOW + 6)
    assert (await anchoring.verify())[0].broken is None
    assert await journal.ask(ledger.cut) == (6, (await anchoring_hash(journal, 7)), NOW + DAY)
    assert await journal.write(lambda connection: ledger.purge(connection, before=NOW, at=NOW + DAY, actor="retention")) is None


async def anchoring_hash(journal: Journal, seq: int) -> str:
    return await anext(entry.prev_hash async for entry in journal.entries() if entry.seq == seq)


async def test_the_last_entry_always_stays(journal: Journal) -> None:
    await purge(journal, NOW + DAY * 2)
    assert [entry.seq async for entry in journal.entries()] == [ROWS, ROWS + 1]
    assert (await audit.verify(journal)).broken is None


async def test_a_row_goes_in_no_other_way(journal: Journal, tmp_path: Path) -> None:
    await purge(journal, NOW + 4)
    with sqlite3.connect(tmp_path / "sekisho.db") as raw, pytest.raises(sqlite3.IntegrityError, match="only grows"):
        raw.execute("DELETE FROM audit WHERE seq = 5")
    for deed in ("DELETE FROM audit_cuts", "UPDATE audit_cuts SET seq = 1", "INSERT OR REPLACE INTO audit_cuts SELECT * FROM audit_cuts"):
        with sqlite3.connect(tmp_path / "sekisho.db") as raw, pytest.raises(sqlite3.IntegrityError, match="only grows"):
            raw.execute(deed)
    raw.close()


async def test_a_beginning_that_somebody_else_took_is_found(journal: Journal, anchoring: Anchoring, tmp_path: Path) -> None:
    """The switch of the database is thrown, but no entry of the record says so."""
    await anchoring.anchor()
    with sqlite3.connect(tmp_path / "sekisho.db") as raw:
        raw.execute("INSERT INTO audit_cuts SELECT seq, hash, 0 FROM audit WHERE seq = 4")
        raw.execute("DELETE FROM audit WHERE seq <= 4")
    raw.close()
    verified, _, _ = await anchoring.verify()
    assert verified.broken == 4
    assert "its beginning is missing" in verified.why


async def test_the_place_of_the_cut_can_be_an_anchor(journal: Journal, anchoring: Anchoring) -> None:
    await anchoring.anchor()
    await journal.record(at=NOW + 70, actor="a", action="login", subject="", detail={})
    await purge(journal, NOW + 30)  # up to the anchored row itself
    assert (await anchoring.verify())[0].broken is None
    wrong = Anchor(at=rfc3339(NOW), organisation="", seq=ROWS, hash="1" * 64)
    other = Anchoring(journal, [], lambda: NOW)
    other.places = (_Fixed([wrong]),)
    assert (await other.verify())[0].why == "is not the row that was anchored"


class _Fixed:
    name = "fixed"

    def __init__(self, anchors: list[Anchor]) -> None:
        self._anchors = anchors

    async def put(self, anchor: Anchor) -> Anchor:
        raise PlaceError("full")

    async def read(self) -> list[Anchor]:
        return self._anchors


# ------------------------------------------------------------------------------------------------------- other places


def anchor() -> Anchor:
    return Anchor(at=rfc3339(NOW), organisation='町 "役場"]', seq=7, hash=hashlib.sha256(b"x").hexdigest())


def test_a_line_of_syslog_holds_the_whole_anchor() -> None:
    line = syslog_line(anchor(), "gate way.example.jp", NOW).decode()
    assert line.startswith('<110>1 2026-11-18T11:06:40.000Z gateway.example.jp sekisho - anchor [anchor@32473 seq="7" hash="')
    assert 'organisation="町 \\"役場\\"\\]"]' in line
    assert line.endswith(f"audit record 7 {anchor().hash}")


async def test_syslog_by_udp_and_by_tcp() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Datagrams(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _: object) -> None:
            heard.put_nowait(data)

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read())
        writer.close()

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", 0))
    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    expected, server_port = syslog_line(anchor(), "h", NOW), server.sockets[0].getsockname()[1]
    try:
        by_udp = SyslogPlace("127.0.0.1", transport.get_extra_info("sockname")[1], hostname="h", clock=lambda: NOW)
        await by_udp.put(anchor())
        assert await asyncio.wait_for(heard.get(), 10) == expected
        by_tcp = SyslogPlace("127.0.0.1", server_port, tcp=True, hostname="h", clock=lambda: NOW)
        await by_tcp.put(anchor())
        assert await asyncio.wait_for(heard.get(), 10) == b"%d %b" % (len(expected), expected)
    finally:
        transport.close()
        server.close()
        await server.wait_closed()
    nobody = SyslogPlace("127.0.0.1", server_port, tcp=True, clock=lambda: NOW)
    with pytest.raises(PlaceError):
        await nobody.put(anchor())


OPENSSL = shutil.which("openssl")
_SETTINGS = """
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
[ext]
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = name
[name]
"""


class Authority:
    """A timestamping authority of OpenSSL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "settings").write_text(_SETTINGS.format(folder=folder))
        self._run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=tsa", "-days", "2",
                  "-config", "settings", "-extensions", "ext")  # fmt: skip

    def _run(self, *words: str) -> str:
        assert OPENSSL is not None
        return subprocess.run([OPENSSL, *words], cwd=self._folder, check=True, capture_output=True, text=True, timeout=60).stdout

    def reply(self, asked: bytes) -> bytes:
        (self._folder / "query").write_bytes(asked)
        self._run("ts", "-reply", "-queryfile", "query", "-signer", "cert", "-inkey", "key", "-config", "settings", "-out", "reply")
        return (self._folder / "reply").read_bytes()

    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self._folder / "cert").read_bytes())

    def verified(self, proof: bytes, digest: str) -> str:
        (self._folder / "proof").write_bytes(proof)
        return self._run("ts", "-verify", "-digest", digest, "-in", "proof", "-CAfile", "cert")


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not here")
async def test_a_timestamping_authority_proves_an_anchor(journal: Journal, tmp_path: Path) -> None:
    authority, asked = Authority(tmp_path), list[bytes]()

    async def stamped(request: web.Request) -> web.Response:
        asked.append(await request.read())
        return web.Response(body=await asyncio.to_thread(authority.reply, asked[-1]), content_type="application/timestamp-reply")

    application = web.Application()
    application.router.add_post("/", stamped)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        places: list[Place] = [FilePlace(tmp_path / "anchors.jsonl"), TimestampPlace(f"http://127.0.0.1:{port}/")]
        said = await Anchoring(journal, places, lambda: NOW).anchor()
        missing = TimestampPlace(f"http://127.0.0.1:{port}/nothing")
        with pytest.raises(PlaceError, match="HTTP 404"):
            await missing.put(anchor())
    finally:
        await runner.cleanup()
    assert set(said.values()) == {""}
    (kept,), _ = await Anchoring(journal, places, lambda: NOW).known()
    proof = base64.b64decode(kept.proof)
    assert "OK" in authority.verified(proof, kept.hash)
    with pytest.raises(TimestampError, match="not about what was asked"):
        answered(proof, hashlib.sha256(b"another").digest(), 1 << 62)


def asked_of(authority: Authority, digest: bytes) -> bytes:
    """What it says of that digest."""
    return authority.reply(question(digest, 1 << 62))


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not here")
def test_a_timestamp_is_believed_for_its_signature_and_for_who_made_it(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = Authority(tmp_path / "one"), Authority(tmp_path / "other")
    digest = hashlib.sha256(b"head").digest()
    proof = asked_of(one, digest)
    certificate, stranger = one.certificate(), other.certificate()
    assert verified(proof, digest).signer == "CN=tsa"
    assert abs(dt.datetime.fromisoformat(verified(proof, digest, [stranger, certificate]).time).timestamp() - time.time()) < 3_600
    with pytest.raises(TimestampError, match="nobody who is trusted"):
        verified(proof, digest, [stranger])
    with pytest.raises(TimestampError, match="another hash"):
        verified(proof, hashlib.sha256(b"another").digest(), [certificate])
    # The same digest written into a token of another: hash and nonce fit, the signature does not.
    foreign = asked_of(one, hashlib.sha256(b"another").digest())
    forged = foreign.replace(hashlib.sha256(b"another").digest(), digest)
    answered(forged, digest, 1 << 62)
    with pytest.raises(TimestampError, match="does not fit"):
        verified(forged, digest, [certificate])
    changed = bytearray(proof)
    changed[-1] ^= 1
    with pytest.raises(TimestampError, match="does not fit"):
        verified(bytes(changed), digest, [certificate])
    for cut in (b"", proof[:40], proof[: len(proof) // 2], bytes(64)):
        with pytest.raises(TimestampError):
            verified(cut, digest)


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not here")
async def test_a_walk_of_the_record_looks_at_each_proof(journal: Journal, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    await journal.record(at=NOW, actor="kanri", action="login", subject="kanri", detail={})
    head = await journal.ask(ledger.head)
    assert head is not None
    proof = asked_of(authority, bytes.fromhex(head.hash))
    place = FilePlace(tmp_path / "anchors.jsonl")
    await place.put(Anchor(at="2026-11-18T11:06:40Z", organisation="", seq=head.seq, hash=head.hash, proof=base64.b64encode(proof).decode()))
    trusting = Anchoring(journal, [place], lambda: NOW, trusted=[authority.certificate()])
    assert (await trusting.verify())[0].broken is None
    (tmp_path / "stranger").mkdir()
    doubting = Anchoring(journal, [place], lambda: NOW, trusted=[Authority(tmp_path / "stranger").certificate()])
    walked, _, _ = await doubting.verify()
    assert (walked.broken, walked.why) == (head.seq, "the timestamp is by nobody who is trusted")


def test_an_answer_that_is_none_is_refused() -> None:
    asked = question(bytes(32), 1 << 62)
    for reply in (b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", asked, asked[:-3], b"\x30\x05\x30\x03\x02\x01\x02", bytes(100)):
        with pytest.raises(TimestampError):
            answered(reply, bytes(32), 1 << 62)


def test_an_anchor_reads_back_as_it_was_written() -> None:
    assert msgspec.json.decode(msgspec.json.encode(anchor()), type=Anchor) == anchor()
