"""Policy in layers, exceptions and results of before, all the way: real files, the real jail, the real stores."""

from __future__ import annotations

import email.policy
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from gateway.model import Arrival, Door, State, Transfer
from gateway.people.roles import Role
from gateway.policy import KindAction, Policy, load, releasable
from gateway.requests.approvals import Approvals
from gateway.requests.exceptions import Exceptions, Wanted
from gateway.road.pipeline import Pipeline
from gateway.road.results import Results
from gateway.road.workers import Workers
from gateway.storage.local_blobs import LocalBlobs
from sanitizers.model import Kind, Reason, Report, Verdict
from tests.build.drawing import dxf
from tests.build.people import DAY, Hall, hall
from tests.build.transfer import signer

SETTINGS = Path(__file__).parents[2] / "deploy/settings"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="9" height="9" fill="#f00"/></svg>'
LINE = ((0, "LINE"), (8, "0"), (10, 0.0), (20, 0.0), (30, 0.0), (11, 1.0), (21, 1.0), (31, 0.0))


@dataclass
class House:
    """A road with its jail, and a town hall beside it."""

    place: Hall
    blobs: LocalBlobs
    workers: Workers
    seal = signer()

    async def through(self, content: bytes, name: str, policy: Policy, **changes: object) -> tuple[Transfer, Report]:
        clock = self.place.clock
        blob = await self.blobs.put(content)
        given: dict[str, object] = {"door": Door.DROP, "sender": "tanaka", "recipients": ("tanaka",), "organisation": "関町"}
        arrival = Arrival(name=name, size=blob.size, sha256=blob.digest, received_at=clock(), **(given | changes))  # type: ignore[arg-type]
        transfer_id = (await self.place.journal.accept(arrival))[0]
        results = Results(self.place.journal, self.blobs, seconds=DAY, clock=clock)
        pipeline = Pipeline(self.place.journal, self.blobs, self.workers, policy, self.seal, results=results, clock=clock)
        (claim,) = await self.place.journal.claim(1, at=clock(), lease_until=clock() + 600)
        await pipeline.process(claim)
        report = await self.place.journal.report(transfer_id)
        assert report is not None
        return await self.place.journal.transfer(transfer_id), report

    async def excepted(self, **wanted: object) -> str:
        clerk = await self.place.account("tanaka", Role.STAFF, ("建設課", False))
        ciso = await self.place.account("fukucho", Role.CISO)
        approvals = Approvals(self.place.journal, self.place.clock)
        exceptions = Exceptions(self.place.journal, approvals, self.place.clock)
        asked = Wanted(until=self.place.clock() + DAY, **wanted)  # type: ignore[arg-type]
        request = await exceptions.request(clerk, asked, "完成図書の受領")
        await approvals.approve(request.number, ciso)
        return (await exceptions.listed())[0].number


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with hall(tmp_path) as place:
        await place.department("建設課")
        blobs = LocalBlobs(tmp_path / "blobs", reserve=0)
        await blobs.start()
        workers = Workers({"none.yar": "rule None_Such { condition: false }"}, 2)
        await workers.start()
        yield House(place, blobs, workers)
        await workers.stop()
        await blobs.stop()


async def test_each_organisation_and_door_has_its_own_way(house: House) -> None:
    policy = load(
        """
        [kinds]
        svg = "hold"
        [organisations."関町".kinds]
        svg = "sanitize"
        [doors.api.kinds]
        svg = "pixels"
        """
    )
    other, _ = await house.through(SVG, "図.svg", policy, organisation="隣町")
    assert (other.state, other.reason) == (State.HELD, Reason.POLICY)
    ours, report = await house.through(SVG, "図.svg", policy)
    assert (ours.state, report.output and report.output.kind) == (State.RELEASED, Kind.SVG)
    machine, report = await house.through(SVG, "図.svg", policy, door=Door.API)
    assert (machine.state, report.output and report.output.kind) == (State.RELEASED, Kind.PNG)
    assert other.policy in ("", ours.policy)
    assert ours.policy == machine.policy == policy.version


async def test_a_department_may_have_what_the_house_may_not(house: House) -> None:
    policy = load('[kinds]\nsvg = "block"\n[organisations."関町".departments."建設課".kinds]\nsvg = "sanitize"')
    blocked, _ = await house.through(SVG, "図.svg", policy)
    assert (blocked.state, blocked.reason) == (State.BLOCKED, Reason.FORBIDDEN_KIND)
    await house.place.account("tanaka", Role.STAFF, ("建設課", False))
    assert (await house.through(SVG, "図.svg", policy))[0].state is State.RELEASED


async def test_the_same_upload_is_worked_on_once(house: House) -> None:
    first, made = await house.through(SVG, "図.svg", Policy())
    second, given = await house.through(SVG, "図.svg", Policy())
    assert (first.result, first.verdict) == (second.result, second.verdict)
    assert [finding.code for finding in given.findings[len(made.findings) :]] == ["road.reused"]
    assert made.output is not None
    assert hashlib.sha256(await house.blobs.read(made.output.sha256)).hexdigest() == made.output.sha256


async def test_an_original_passes_by_its_digest_alone_and_inside_a_mail_too(house: House) -> None:
    drawing = dxf(LINE)
    digest = hashlib.sha256(drawing).hexdigest()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "tanaka@town.example.jp", "完成図"
    mail.set_content("図面を送ります。")
    mail.add_attachment(drawing, maintype="application", subtype="octet-stream", filename="plan.dxf")
    other = dxf(LINE, LINE)
    mail.add_attachment(other, maintype="application", subtype="octet-stream", filename="other.dxf")

    before, _ = await house.through(drawing, "plan.dxf", Policy())
    assert (before.state, before.reason) == (State.HELD, Reason.UNSUPPORTED_KIND)
    number = await house.excepted(kind=Kind.DXF, action=KindAction.CONFIRM, sha256=digest)
    after, report = await house.through(drawing, "plan.dxf", Policy())
    assert (after.state, after.verdict) == (State.RELEASED, Verdict.CONFIRMED)
    assert report.output is not None
    assert report.output.sha256 == digest
    assert any(number in finding.detail for finding in report.findings if finding.code == "confirm.approved")
    assert (await house.through(other, "other.dxf", Policy()))[0].state is State.HELD, "another drawing is another file"

    sent = {"door": Door.SMTP, "sender": "a@example.com", "recipients": ("tanaka@town.example.jp",)}
    delivered, report = await house.through(mail.as_bytes(policy=email.policy.SMTP), "message.eml", Policy(), **sent)
    assert delivered.state is State.RELEASED
    assert delivered.result is not None
    read = BytesParser(policy=email.policy.default).parsebytes(await house.blobs.read(delivered.result.sha256))
    attached = {part.get_filename(): part.get_payload(decode=True) for part in read.iter_attachments()}
    assert attached.get("plan.dxf") == drawing
    assert other not in attached.values()
    assert {part.input.name: part.verdict for part in report.parts}["plan.dxf"] is Verdict.CONFIRMED


async def test_what_a_mailbox_rule_sends_on_is_held_where_mail_leaves(house: House) -> None:
    policy = load((SETTINGS / "outbound-policy.toml").read_text("utf-8"))
    sent = {"door": Door.SMTP, "lane": "outbound", "recipients": ("home@isp.example",)}

    async def through(sender: str, author: str, **fields: str) -> tuple[Transfer, Report]:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = author, "home@isp.example", "FW: 議事録"
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        mail.set_content("添付のとおりです。")
        return await house.through(mail.as_bytes(policy=email.policy.SMTP), "message.eml", policy, sender=sender, **sent)

    ours = "yamada@city.example.jp"
    by_hand, report = await through(ours, ours, In_Reply_To="<9@isp.example>")
    assert (by_hand.state, [one.code for one in report.findings if one.code == "mail.forwarded"]) == (State.RELEASED, [])
    by_rule, report = await through("", ours, X_MS_Exchange_Inbox_Rules_Loop=ours, Auto_Submitted="auto-generated")
    redirected, other = await through(ours, "sato@pref.example.jp", Sender=ours)
    for transfer, told, field in ((by_rule, report, "X-MS-Exchange-Inbox-Rules-Loop"), (redirected, other, "From")):
        assert (transfer.state, transfer.reason) == (State.HELD, Reason.POLICY)
        assert [one.where for one in told.findings if one.code == "mail.forwarded"] == [field]
        assert releasable(transfer, told) is Verdict.CLEAN, "what was no forwarding after all goes out rebuilt"
