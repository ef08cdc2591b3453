"""The frames between road and jail: what an honest child says passes, everything else is WireError."""

from __future__ import annotations

import random
import struct

import msgspec
import pytest

from sanitizers import wire
from sanitizers.model import Action, Finding, Job, Kind, Match, PartInfo, Reason, Report, Seen, Severity, Treatment, Verdict
from sanitizers.wire import FrameReader, FrameType, WireError

JOB = Job(name="a.docm", policy="p1", rules="r1")
INFO = PartInfo(name="a.docm", size=10, sha256="0" * 64, kind=Kind.DOCM)
OUTPUT = PartInfo(name="a.docx", size=9, sha256="1" * 64, kind=Kind.DOCX)
FINDING = Finding(code="file.malformed", severity=Severity.MEDIUM, action=Action.REFUSED, where="x")
GOOD = Report(path="a.docm", verdict=Verdict.SANITIZED, reason=None, input=INFO, output=OUTPUT, policy="p1", rules="r1")


def sent(report: Report) -> Report:
    return wire.decode_report(wire.encode_report(report), JOB)


def changed(**fields: object) -> Report:
    return msgspec.structs.replace(GOOD, **fields)


def test_frames_arrive_whole_however_they_are_cut() -> None:
    frames = [(FrameType.PROGRESS, "様式1".encode()), (FrameType.FAULT, b"why"), (FrameType.REPORT, b"{}" * 1000)]
    stream = b"".join(wire.encode_frame(kind, payload) for kind, payload in frames)
    rng = random.Random(1)
    for _ in range(200):
        reader, seen, rest = FrameReader(), [], stream
        while rest:
            cut = rng.randint(1, 40)
            seen += reader.feed(rest[:cut])
            rest = rest[cut:]
        assert [(frame.type, frame.payload) for frame in seen] == frames


@pytest.mark.parametrize(
    "stream",
    [
        b"\x00\x00\x00\x00\x00",
        b"\x06\x00\x00\x00\x00",
        struct.pack(">BI", FrameType.PASSWORDS, 4_001),
        struct.pack(">BI", FrameType.PROGRESS, 501),
        struct.pack(">BI", FrameType.FAULT, 4_001),
        struct.pack(">BI", FrameType.REPORT, (64 << 20) + 1),
        struct.pack(">BI", FrameType.SHOWN, (8 << 20) + 1),
        wire.encode_frame(FrameType.REPORT, b"{}") + b"x",
        wire.encode_frame(FrameType.SHOWN, b"{}") + b"x",
    ],
)
def test_a_wrong_type_length_or_anything_after_the_report_is_refused(stream: bytes) -> None:
    with pytest.raises(WireError):
        FrameReader().feed(stream)


def test_too_many_frames_are_a_flood() -> None:
    reader, block = FrameReader(), wire.encode_frame(FrameType.PROGRESS, b"") * 1000
    with pytest.raises(WireError, match="too many"):
        for _ in range(51):
            reader.feed(block)


def test_long_progress_is_cut_and_a_long_report_is_our_bug() -> None:
    [frame] = FrameReader().feed(wire.encode_frame(FrameType.PROGRESS, b"x" * 501))
    assert len(frame.payload) == 500
    with pytest.raises(ValueError, match="report of"):
        wire.encode_frame(FrameType.REPORT, bytes((64 << 20) + 1))


def test_control_characters_do_not_reach_a_log() -> None:
    assert wire.printable(b"a\x1b[31m\nb" + b"\xff") == "a [31m b\ufffd"


def test_an_honest_report_arrives_as_it_was_sent() -> None:
    nested = changed(
        parts=(changed(path="b", findings=(FINDING,)),),
        matches=(Match(rule="R", severity=Severity.LOW, where="w", seen=(Seen("$a", 7, "00ff"),)),),
    )
    assert sent(nested) == nested


@pytest.mark.parametrize(
    "report",
    [
        changed(path="other"),
        changed(policy="p2"),
        changed(rules="r2"),
        changed(schema="sekisho.report/2"),
        changed(verdict=Verdict.CONFIRMED),
        changed(output=None),
        changed(reason=Reason.MALFORMED),
        changed(verdict=Verdict.HELD, output=None),
        changed(verdict=Verdict.HELD, reason=Reason.POLICY),
        changed(verdict=Verdict.BLOCKED, output=None, reason=Reason.MALFORMED),
        changed(verdict=Verdict.HELD, output=None, reason=Reason.MALWARE),
        changed(verdict=Verdict.HELD, output=None, reason=Reason.WORKER_CRASHED),
        changed(input=msgspec.structs.replace(INFO, size=-1)),
        changed(output=msgspec.structs.replace(OUTPUT, sha256="z" * 64)),
        changed(output=msgspec.structs.replace(OUTPUT, path="../../etc/passwd")),
        changed(output=msgspec.structs.replace(OUTPUT, name="x" * 5000)),
        changed(findings=(msgspec.structs.replace(FINDING, code="no.such_code"),)),
        changed(findings=(msgspec.structs.replace(FINDING, severity=Severity.INFO),)),
        changed(findings=(msgspec.structs.replace(FINDING, detail="x" * 3000),)),
        changed(matches=(Match(rule="x" * 3000, severity=Severity.LOW, where=""),)),
        *(
            changed(matches=(Match(rule="R", severity=Severity.LOW, where="", seen=seen),))
            for seen in ((Seen("$a", 0, "00"),) * 5, (Seen("x" * 65, 0, "00"),), (Seen("$a", -1, "00"),), (Seen("$a", 0, "zz"),),
                         (Seen("$a", 0, "00" * 33),), (Seen("$a", 0, "0"),))
        ),
        changed(elapsed_ms=-1),
        changed(parts=(changed(output=None),)),
    ],
)
def test_a_report_that_does_not_hold_is_refused(report: Report) -> None:
    with pytest.raises(WireError):
        sent(report)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"path": 1}', b"[" * 100_000, b'{"verdict": "fine"}', b"\xff\xfe"])
def test_garbage_in_place_of_a_report_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode_report(data, JOB)


def test_a_report_nested_deeper_than_any_transfer_is_refused() -> None:
    report = GOOD
    for _ in range(JOB.limits.depth + 2):
        report = changed(parts=(report,))
    with pytest.raises(WireError, match="deep"):
        sent(report)


def test_passwords_come_as_they_are_and_few() -> None:
    [frame] = FrameReader().feed(wire.encode_passwords(["Kasumi#2026", "鍵", "", "x" * 65, "a\nb", *map(str, range(20))]))
    assert frame.type is FrameType.PASSWORDS
    assert wire.decode_passwords(frame.payload) == ("Kasumi#2026", "鍵", "0", "1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[1]", b'["a\\nb"]', b'[""]', msgspec.json.encode(["x" * 65]), msgspec.json.encode(["a"] * 9), b"\xff", b"[" * 3000]
)
def test_passwords_that_no_honest_child_says(payload: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode_passwords(payload)


def test_an_original_is_confirmed_only_by_approval_and_only_as_it_came() -> None:
    drawing = msgspec.structs.replace(INFO, kind=Kind.DXF)
    report = changed(verdict=Verdict.CONFIRMED, input=drawing, output=drawing)
    approved = msgspec.structs.replace(JOB, treatment=Treatment(confirmed_kinds=("dxf",), confirmed_by="課長"))
    assert wire.decode_report(wire.encode_report(report), approved) == report
    for job, given in (
        (JOB, report),
        (msgspec.structs.replace(JOB, treatment=Treatment(confirmed_kinds=("dxf",))), report),
        (msgspec.structs.replace(JOB, treatment=Treatment(confirmed_kinds=("jww",), confirmed_by="課長")), report),
        (approved, msgspec.structs.replace(report, output=OUTPUT)),
    ):
        with pytest.raises(WireError):
            wire.decode_report(wire.encode_report(given), job)


def test_a_job_arrives_as_it_was_sent() -> None:
    assert wire.decode_job(wire.encode_job(JOB)) == JOB


@pytest.mark.parametrize("message", [wire.Start(7, 1.5), wire.Kill(7)])
def test_what_the_road_asks_of_the_parent_arrives(message: wire.Start | wire.Kill) -> None:
    assert wire.decode_request(wire.encode_message(message)) == message


@pytest.mark.parametrize("message", [wire.Ready(("seccomp",), (), "r1"), wire.Ended(7, 9, True, 0.5, 1024)])
def test_what_the_parent_answers_arrives(message: wire.Ready | wire.Ended) -> None:
    assert wire.decode_answer(wire.encode_message(message)) == message


@pytest.mark.parametrize("data", [b"", b"{}", wire.encode_message(wire.Start(1, 1.0)), b'{"type":"ended","id":1}'])
def test_an_answer_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode_answer(data)


def test_an_original_of_an_excepted_digest_is_confirmed() -> None:
    drawing = msgspec.structs.replace(INFO, kind=Kind.DXF)
    given = changed(verdict=Verdict.CONFIRMED, input=drawing, output=drawing)
    job = msgspec.structs.replace(JOB, treatment=Treatment(confirmed_digests=((INFO.sha256, "例外措置"),)))
    assert wire.decode_report(wire.encode_report(given), job) == given
    other = msgspec.structs.replace(JOB, treatment=Treatment(confirmed_digests=(("1" * 64, "例外措置"),)))
    with pytest.raises(WireError):
        wire.decode_report(wire.encode_report(given), other)


def test_a_report_without_an_output_is_a_report() -> None:
    held = changed(verdict=Verdict.HELD, output=None, reason=Reason.MALFORMED)
    assert sent(held) == held


def test_how_much_a_child_may_say() -> None:
    """At the limit it passes, past it it does not."""

    def told(**fields: object) -> bool:
        try:
            sent(changed(**fields))
        except WireError:
            return False
        return True

    def named(length: int) -> PartInfo:
        return msgspec.structs.replace(OUTPUT, name="x" * length)

    assert told(output=named(4_096))
    assert not told(output=named(4_097))
    for field in ("where", "detail"):
        assert told(findings=(msgspec.structs.replace(FINDING, **{field: "x" * 2_000}),))
        assert not told(findings=(msgspec.structs.replace(FINDING, **{field: "x" * 2_001}),))
    for field in ("rule", "where"):
        match = {"rule": "R", "where": "", field: "x" * 2_000}
        assert told(matches=(Match(severity=Severity.LOW, **match),))
        assert not told(matches=(Match(severity=Severity.LOW, **(match | {field: "x" * 2_001})),))
    reader, frame = FrameReader(), wire.encode_frame(FrameType.PROGRESS, b"")
    assert len(reader.feed(frame * 50_000)) == 50_000
    with pytest.raises(WireError, match="too many"):
        reader.feed(frame)


def test_the_numbers_of_the_frames_are_those_of_the_wire() -> None:
    assert {kind.name: int(kind) for kind in FrameType} == {"PROGRESS": 1, "FAULT": 2, "REPORT": 3, "PASSWORDS": 4, "SHOWN": 5}


def test_a_report_is_nested_as_deep_as_a_transfer_may_be() -> None:
    report = GOOD
    for _ in range(JOB.limits.depth + 1):
        report = changed(parts=(report,))
    assert sent(report) == report
    with pytest.raises(WireError, match="deep"):
        sent(changed(parts=(report,)))


@pytest.mark.parametrize("data", [b'{"other":' + b"[" * 200_000, b'{"path":"\xff"}'])
def test_a_report_that_cannot_be_read_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="report:"):
        wire.decode_report(data, JOB)
    with pytest.raises(WireError, match="passwords"):
        wire.decode_passwords(b'["\xff"]')


def test_at_its_limits_what_a_child_says_is_believed() -> None:
    seen = (Seen("x" * 64, 0, "00" * 32),) * 4
    empty = msgspec.structs.replace(INFO, size=0)
    report = changed(input=empty, matches=(Match(rule="R", severity=Severity.LOW, where="", seen=seen),), elapsed_ms=0)
    assert sent(report) == report
    longest = "x" * 64
    [frame] = FrameReader().feed(wire.encode_passwords([longest]))
    assert wire.decode_passwords(frame.payload) == (longest,)


def test_findings_of_the_road_are_not_the_jails() -> None:
    finding = Finding(code="road.reused", severity=Severity.INFO, action=Action.KEPT, where="x")
    with pytest.raises(WireError, match="undeclared"):
        sent(changed(findings=(finding,)))


def test_nothing_is_confirmed_that_does_not_come_out() -> None:
    drawing = msgspec.structs.replace(INFO, kind=Kind.DXF)
    approved = msgspec.structs.replace(JOB, treatment=Treatment(confirmed_kinds=("dxf",), confirmed_by="課長"))
    with pytest.raises(WireError, match="may not confirm"):
        wire.decode_report(wire.encode_report(changed(verdict=Verdict.CONFIRMED, input=drawing, output=None)), approved)


@pytest.mark.parametrize("message", [wire.Start(7, 1.5), wire.Kill(7), wire.Ready((), (), ""), wire.Ended(7, 0, False, 0.0, 0)])
def test_a_message_stays_as_it_is(message: msgspec.Struct) -> None:
    with pytest.raises(AttributeError):
        setattr(message, message.__struct_fields__[0], 1)


def test_what_is_shown_has_its_own_limit() -> None:
    assert len(wire.encode_frame(FrameType.SHOWN, bytes(8 << 20))) == (8 << 20) + 5
    with pytest.raises(ValueError, match="report of"):
        wire.encode_frame(FrameType.SHOWN, bytes((8 << 20) + 1))
