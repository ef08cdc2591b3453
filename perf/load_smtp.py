"""The whole road under load: the reference mix by SMTP into a real service, out of it at a next hop, every mail looked at.

    python perf/load_smtp.py [--profile P] [--count N] [--rate R | --sessions N] [--texts] [--no-bombs] [--json FILE]

`--rate`: an open loop, one mail every 1/R seconds whether those before were taken or not; the way of each counts from when it was due, so
that nobody waits unseen (coordinated omission), and memory is looked at. Without it a closed loop of `--sessions`, which shows the
throughput. `--texts`: mails without attachment. The service runs in a folder that is thrown away, durable as in use. Beside the rate stands
what the codec floor of the same mails (`floor.py`, over all processors) would allow: the ratio is the figure. Every mail must arrive
exactly once, with as many attachments as may pass; anything else is an error and the exit code says so.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import floor, traffic
from perf.footprint import Footprint, children_of
from perf.percentiles import corrected, waits
from perf.traffic import Mail
from tests.build.ports import free_port
from tests.e2e.service import Service

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(<[^>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
_ATTACHED: Final = re.compile(rb"^content-disposition:\s*attachment", re.IGNORECASE | re.MULTILINE)
# How long after the last mail was taken in the last may come out.
_PATIENCE_SECONDS: Final = 300.0
_HEAD_BYTES: Final = 16_384


@dataclass
class NextHop(asyncio.Protocol):
    """What each mail was that came, and when; it keeps no content, so that it costs little beside what is measured."""

    arrived: dict[str, list[tuple[float, int]]]
    _content: bytearray = field(default_factory=bytearray)
    _in_content: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 next hop\r\n")

    def data_received(self, data: bytes) -> None:
        self._content += data
        while True:
            if self._in_content:
                if not self._content.endswith(b"\r\n.\r\n"):
                    return
                self._take(bytes(self._content))
                self._content.clear()
                self._in_content = False
                self._transport.write(b"250 2.0.0 ok\r\n")
                return
            line, found, rest = self._content.partition(b"\r\n")
            if not found:
                return
            self._content = rest
            self._answer(bytes(line).upper())

    def _answer(self, line: bytes) -> None:
        if line == b"DATA":
            self._in_content = True
            self._transport.write(b"354 go\r\n")
        elif line.startswith(b"EHLO"):
            self._transport.write(b"250-next hop\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        elif line == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 ok\r\n")

    def _take(self, content: bytes) -> None:
        named = _MESSAGE_ID.search(content[:_HEAD_BYTES])
        number = named[1].decode("ascii", "replace") if named else "none"
        self.arrived.setdefault(number, []).append((time.perf_counter(), len(_ATTACHED.findall(content))))


@dataclass
class Load:
    """What happened to one run. Seconds on one clock; `due` is when a mail was to be sent, `taken` when its 250 came."""

    due: dict[str, float] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    arrived: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def ways(self) -> list[float]:
        """From due to arrived."""
        return [came[0][0] - self.due[number] for number, came in self.arrived.items() if number in self.due]

    def replies(self) -> list[float]:
        """From due to its 250."""
        return [taken - self.due[number] for number, taken in self.taken.items()]

    def rate(self) -> float:
        """Mails a second, from the first due to the last arrived."""
        ends = [came[0][0] for came in self.arrived.values()]
        return len(ends) / (max(ends) - min(self.due.values())) if ends else 0.0


# --------------------------------------------------------------------------------------------------------------- sending


async def session(port: int, mails: asyncio.Queue[Mail | None], load: Load) -> None:
    """One connection, mail after mail; a refused one is written down and the next is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)

    async def said(octets: bytes) -> bytes:
        writer.write(octets)
        await writer.drain()
        while (line := await reader.readline())[3:4] == b"-":
            pass
        return line

    await reader.readline()
    await said(b"EHLO load.example\r\n")
    while (mail := await mails.get()) is not None:
        load.due.setdefault(mail.message_id, time.perf_counter())
        stuffed = mail.content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        for line in (f"MAIL FROM:<{mail.sender}>\r\n".encode(), f"RCPT TO:<{mail.recipient}>\r\n".encode(), b"DATA\r\n", stuffed):
            reply = await said(line)
            if reply[:1] not in b"23":
                load.refused.append(f"{mail.message_id} {reply.decode('ascii', 'replace').strip()}")
                await said(b"RSET\r\n")
                break
        else:
            load.taken[mail.message_id] = time.perf_counter()
    writer.close()


async def sent(port: int, mails: Sequence[Mail], load: Load, *, rate: float, sessions: int) -> None:
    queue: asyncio.Queue[Mail | None] = asyncio.Queue()
    crew = [asyncio.create_task(session(port, queue, load)) for _ in range(sessions)]
    began = time.perf_counter()
    for number, mail in enumerate(mails):
        if rate:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            load.due[mail.message_id] = due
        queue.put_nowait(mail)
    for _ in crew:
        queue.put_nowait(None)
    await asyncio.gather(*crew)


async def all_arrived(load: Load, mails: Sequence[Mail]) -> None:
    """Until every mail that must come has come, or patience ends."""
    expected = {mail.message_id for mail in mails if all(file.delivers for file in mail.files)} & set(load.taken)
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while not expected <= set(load.arrived) and time.perf_counter() < deadline:  # noqa: ASYNC110 - what arrives does so one by one
        await asyncio.sleep(0.05)


# --------------------------------------------------------------------------------------------------------------- looking


def faults(load: Load, mails: Sequence[Mail]) -> list[str]:
    """What did not go as it must."""
    found = [f"refused {reply}" for reply in load.refused]
    for mail in mails:
        came = load.arrived.get(mail.message_id, [])
        must, may = sum(file.delivers for file in mail.files), len(mail.files)
        if mail.message_id in load.taken and not came and must == may:
            found.append(f"{mail.message_id} did not come out")
        if len(came) > 1:
            found.append(f"{mail.message_id} came out {len(came)} times")
        if came and not must <= came[0][1] <= may:
            found.append(f"{mail.message_id} came with {came[0][1]} of {may} attachments, {must} may pass")
    strangers = set(load.arrived) - {mail.message_id for mail in mails} - {"none"}
    return found + [f"{number} is nobody's" for number in sorted(strangers)[:5] if number.endswith("@example.com>")]


def cpu_seconds(pid: int) -> dict[str, float]:
    """Of the service and of its warm parents, their ended children included."""
    spent: dict[str, float] = {"service": 0.0, "jail": 0.0}
    for name, one in (("service", pid), *(("jail", child) for child in children_of(pid))):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        spent[name] += sum(int(field) for field in (fields[11:13] if name == "service" else fields[11:15])) / _TICKS
    return dict(spent)


def floor_seconds(mails: Sequence[Mail]) -> float:
    """Processor time of the bare codecs for the same mails: base64 there and back, and each attachment's own floor."""
    seconds = 0.0
    known: dict[int, float] = {}
    for mail in mails:
        seconds += floor.spent(lambda mail=mail: base64.b64encode(base64.b64decode(base64.b64encode(mail.content))), 1)  # type: ignore[misc]
        for file in mail.files:
            if not file.delivers:
                continue
            if id(file) not in known:
                known[id(file)] = floor.spent(lambda file=file: floor.bare(file), 1)  # type: ignore[misc]
            seconds += known[id(file)]
    return seconds


async def measured(service: Service, mails: Sequence[Mail], given: argparse.Namespace) -> dict[str, Any]:
    load = Load()
    server = await asyncio.get_running_loop().create_server(lambda: NextHop(load.arrived), "127.0.0.1", service.next_hop)
    await asyncio.to_thread(service.start, _PATIENCE_SECONDS)
    assert service.process is not None
    watch, before, began = Footprint(service.process.pid), cpu_seconds(service.process.pid), time.perf_counter()
    # To add up the pages of every child costs a tenth of a processor: where the rate is asked for, nobody looks.
    with watch.looking() if given.rate else nullcontext():
        await sent(service.smtp, mails, load, rate=given.rate, sessions=given.sessions)
        await all_arrived(load, mails)
    after, seconds = cpu_seconds(service.process.pid), time.perf_counter() - began
    await asyncio.to_thread(service.stop)
    server.close()
    return _figures(load, mails, given) | {
        "cpu": {name: round(after[name] - before.get(name, 0.0), 2) for name in after},
        "cpu_ms_per_mail": round(1000 * (sum(after.values()) - sum(before.values())) / len(mails), 2),
        "seconds": seconds, **({"memory": watch.table()} if given.rate else {}), "faults": faults(load, mails),
    }  # fmt: skip


def _figures(load: Load, mails: Sequence[Mail], given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of a closed loop are corrected for what its sessions did not send while they waited."""
    replies, floor_spent = load.replies(), floor_seconds(mails)
    allowed = len(mails) * (os.cpu_count() or 1) / floor_spent
    if not given.rate:
        replies = corrected(replies, waits(replies).p50)
    return {
        "mails": len(mails), "megabytes": round(sum(len(mail.content) for mail in mails) / 1e6, 1), "arrived": len(load.arrived),
        "mails_per_second": round(load.rate(), 2), "floor_allows": round(allowed, 1), "of_floor": round(load.rate() / allowed, 3),
        "floor_ms_per_mail": round(1000 * floor_spent / len(mails), 3),
        "reply": waits(replies)._asdict(), "way": waits(load.ways())._asdict(),
    }  # fmt: skip


def service_in(folder: Path) -> Service:
    quiet = {"SEKISHO_MAIL_AUTHENTICATION": "off", "SEKISHO_NOTICES_AT_ONCE": "false", "SEKISHO_NOTICES_DIGEST": ""}
    domains = {"SEKISHO_SMTP_DOMAINS": ",".join(f"town{number}.example.jp" for number in range(30))}
    return Service(folder / "sekisho", free_port(), quiet | domains)


def mix(given: argparse.Namespace) -> list[Mail]:
    pool = [] if given.texts else traffic.files(given.seed, max(10, given.count // 6))
    profile = traffic.PROFILES[given.profile]
    return list(traffic.mails(given.seed, profile, given.count, pool, with_bombs=not (given.no_bombs or given.texts)))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=traffic.PROFILES, default="city")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--no-bombs", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser


def one_run(words: Sequence[str]) -> dict[str, Any]:
    """As the command would, with these words; its figures."""
    given = arguments().parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measured(service_in(Path(folder)), mix(given), given))


def main() -> int:
    given, found = arguments().parse_args(), one_run(sys.argv[1:])
    if given.json:
        given.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for name, value in found.items():
        print(f"{name:18} {value}")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
