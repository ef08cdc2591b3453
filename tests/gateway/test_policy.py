"""The policy document, and what it makes of reports: whatever is not an explicit delivery stays inside."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import State
from gateway.policy import Excepted, KindAction, Layer, Policy, decide, load, releasable
from sanitizers.model import BLOCKING_REASONS, Action, Finding, Kind, PartInfo, Reason, Report, Severity, Treatment, Verdict
from tests.build.transfer import BODY, held, report, transfer


@pytest.mark.parametrize("verdict", [Verdict.CLEAN, Verdict.SANITIZED])
def test_an_honest_delivery_is_released(verdict: Verdict) -> None:
    decision = decide(report(verdict), Policy())
    assert (decision.verdict, decision.reason, decision.state) == (verdict, None, State.RELEASED)


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_keeps_its_reason(reason: Reason) -> None:
    verdict = Verdict.BLOCKED if reason in BLOCKING_REASONS else Verdict.HELD
    decision = decide(report(verdict, reason), Policy())
    assert (decision.verdict, decision.reason) == (verdict, reason)


def changed(**changes: object) -> Report:
    return msgspec.structs.replace(report(), **changes)


@pytest.mark.parametrize(
    "flawed",
    [
        changed(output=None),
        changed(reason=Reason.ENCRYPTED),
        changed(verdict=Verdict.CONFIRMED),
        report(Verdict.HELD, None),
        report(Verdict.BLOCKED, None),
        report(Verdict.BLOCKED, Reason.ENCRYPTED),
        report(Verdict.HELD, Reason.MALWARE),
    ],
    ids=["no output", "reason", "confirmed", "held why", "blocked why", "blocked by lock", "held malware"],
)
def test_a_report_that_does_not_agree_with_itself_is_held(flawed: Report) -> None:
    decision = decide(flawed, Policy())
    assert (decision.verdict, decision.reason, decision.state) == (Verdict.HELD, Reason.VERIFICATION_FAILED, State.HELD)
    assert decision.note


def test_plain_text_may_be_rebuilt_into_the_same_bytes() -> None:
    same = report(Verdict.CLEAN, output=BODY, kind=Kind.TEXT)
    assert same.output is not None
    assert same.output.sha256 == same.input.sha256
    assert decide(same, Policy()).verdict is Verdict.CLEAN


_info = st.builds(PartInfo, name=st.just("x"), size=st.just(1), sha256=st.sampled_from(["a", "b"]), kind=st.sampled_from(Kind))
_reports = st.builds(
    Report,
    path=st.just("x"),
    verdict=st.sampled_from(Verdict),
    reason=st.none() | st.sampled_from(Reason),
    input=_info,
    output=st.none() | _info,
)


@given(_reports)
def test_nothing_but_an_explicit_delivery_is_ever_released(given_: Report) -> None:
    decision = decide(given_, Policy())
    assert (decision.reason is None) == decision.verdict.delivers
    if decision.verdict.delivers:
        assert given_.verdict in (Verdict.CLEAN, Verdict.SANITIZED)
        assert given_.output is not None


def test_the_strictest_kind_anywhere_decides() -> None:
    policy = Policy(kinds={Kind.SVG: KindAction.HOLD, Kind.EMF: KindAction.BLOCK})
    svg, emf = report(kind=Kind.SVG), report(kind=Kind.EMF)
    assert decide(report(parts=(report(kind=Kind.PDF),)), policy).verdict is Verdict.SANITIZED
    inside = decide(report(parts=(report(kind=Kind.ZIP, parts=(svg,)),)), policy)
    assert (inside.verdict, inside.reason) == (Verdict.HELD, Reason.POLICY)
    both = decide(report(parts=(svg, emf)), policy)
    assert (both.verdict, both.reason) == (Verdict.BLOCKED, Reason.FORBIDDEN_KIND)
    assert decide(svg, Policy(kinds={Kind.SVG: KindAction.SANITIZE})).verdict is Verdict.SANITIZED


def test_what_came_in_and_what_goes_out_are_judged() -> None:
    came, goes = report(kind=Kind.DOCM), changed(output=msgspec.structs.replace(report().input, kind=Kind.DOCX))
    both = msgspec.structs.replace(came, output=goes.output)
    for kind in (Kind.DOCM, Kind.DOCX):
        decision = decide(both, Policy(kinds={kind: KindAction.HOLD}))
        assert (decision.verdict, decision.note) == (Verdict.HELD, f"policy: {kind} hold")
    assert decide(both, Policy(kinds={Kind.EMF: KindAction.HOLD})).verdict is Verdict.SANITIZED


def test_a_part_that_stayed_behind_is_judged_too() -> None:
    behind = msgspec.structs.replace(report(Verdict.HELD, Reason.MALFORMED), input=msgspec.structs.replace(report().input, kind=Kind.EMF))
    assert decide(report(parts=(behind,)), Policy(kinds={Kind.EMF: KindAction.HOLD})).verdict is Verdict.HELD
    assert decide(report(parts=(behind,)), Policy()).verdict is Verdict.SANITIZED


def test_of_two_kinds_that_stop_alike_the_same_is_named_in_any_order() -> None:
    policy = Policy(kinds={Kind.SVG: KindAction.HOLD, Kind.EMF: KindAction.HOLD})
    svg, emf = report(kind=Kind.SVG), report(kind=Kind.EMF)
    assert decide(report(parts=(svg, emf)), policy).note == decide(report(parts=(emf, svg)), policy).note == "policy: svg hold"


def forwarded(given: Report, *fields: str) -> Report:
    marks = (Finding(code="mail.forwarded", severity=Severity.MEDIUM, action=Action.KEPT, where=field) for field in fields)
    return msgspec.structs.replace(given, findings=(*given.findings, *marks))


def test_a_mail_that_was_forwarded_waits_for_a_person_with_its_result() -> None:
    marked = forwarded(report(), "Resent-*", "X-Forwarded-For")
    decision = decide(marked, Policy())
    assert (decision.verdict, decision.reason, decision.state) == (Verdict.HELD, Reason.POLICY, State.HELD)
    assert decision.note == "policy: forwarded automatically (Resent-*, X-Forwarded-For)"
    assert releasable(transfer(with_result=True, verdict=Verdict.HELD, reason=Reason.POLICY), marked) is Verdict.SANITIZED


def test_what_stops_a_forwarded_mail_otherwise_stops_it_still() -> None:
    marked = forwarded(report(kind=Kind.EML), "From")
    assert decide(marked, Policy(kinds={Kind.EML: KindAction.BLOCK})).verdict is Verdict.BLOCKED
    assert decide(marked, Policy(kinds={Kind.EML: KindAction.HOLD})).note == "policy: eml hold"
    assert decide(forwarded(report(Verdict.BLOCKED, Reason.MALWARE), "From"), Policy()).reason is Reason.MALWARE
    assert decide(forwarded(report(Verdict.CONFIRMED), "From"), Policy()).reason is Reason.VERIFICATION_FAILED


def test_other_findings_are_no_forwarding() -> None:
    link = Finding(code="mail.link", severity=Severity.LOW, action=Action.REWRITTEN, where="text")
    assert decide(msgspec.structs.replace(report(), findings=(link,)), Policy()).verdict is Verdict.SANITIZED
    both = msgspec.structs.replace(forwarded(report(), "From"), findings=(link, *forwarded(report(), "From").findings))
    assert decide(both, Policy()).note == "policy: forwarded automatically (From)"


def test_only_the_mail_itself_counts_as_forwarded() -> None:
    assert decide(report(parts=(forwarded(report(), "From"),)), Policy()).verdict is Verdict.SANITIZED


def test_policy_never_makes_a_refusal_milder() -> None:
    policy = Policy(kinds={Kind.EML: KindAction.HOLD})
    assert decide(report(Verdict.BLOCKED, Reason.MALWARE), policy).verdict is Verdict.BLOCKED


def test_a_deep_report_is_walked_without_recursion() -> None:
    deep = report(kind=Kind.SVG)
    for _ in range(5_000):
        deep = report(parts=(deep,))
    assert decide(deep, Policy(kinds={Kind.SVG: KindAction.HOLD})).verdict is Verdict.HELD


# ----------------------------------------------------------------------------------------------------------- the document


@pytest.mark.parametrize(("type_", "said"), [(Layer, {"path": ("x",)}), (Policy, {}), (Excepted, {"number": "1", "kind": Kind.SVG, "action": KindAction.HOLD, "until": 0.0, "approver": "x"})])
def test_what_is_said_is_said_by_name_and_stays(type_: Any, said: dict[str, Any]) -> None:
    made = type_(**said)
    with pytest.raises(AttributeError):
        setattr(made, made.__struct_fields__[0], "other")
    with pytest.raises(TypeError):
        type_("x", *said.values())


# -------------------------------------------------------------------------------------------------------------- release


def test_what_an_operator_may_release() -> None:
    by_policy = transfer(state=State.HELD, verdict=Verdict.HELD, reason=Reason.POLICY, with_result=True)
    locked = transfer(state=State.HELD, verdict=Verdict.HELD, reason=Reason.ENCRYPTED)
    malware = transfer(state=State.BLOCKED, verdict=Verdict.BLOCKED, reason=Reason.MALWARE)
    assert releasable(by_policy, report(Verdict.CLEAN)) is Verdict.CLEAN
    assert releasable(locked, held()) is None
    assert releasable(malware, report(Verdict.BLOCKED, Reason.MALWARE)) is None
    assert releasable(by_policy, changed(output=None)) is None


# ------------------------------------------------------------------------------------------------------------- 確認済み

DRAWING = report(Verdict.CONFIRMED, source=b"DXF", output=b"DXF", kind=Kind.DXF)
LETS_DRAWINGS = Policy(treatment=Treatment(confirmed_kinds=(Kind.DXF,)))


@pytest.mark.parametrize("given", [DRAWING, report(parts=(DRAWING,)), report(parts=(report(parts=(DRAWING,)),))])
def test_an_original_passes_by_policy_and_a_persons_word_together(given: Report) -> None:
    assert decide(given, LETS_DRAWINGS, confirmed_by="shinsa").verdict is given.verdict
    for policy, by in ((LETS_DRAWINGS, ""), (Policy(), "shinsa"), (Policy(), "")):
        decision = decide(given, policy, confirmed_by=by)
        assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.VERIFICATION_FAILED)


@pytest.mark.parametrize("name", ["input_bytes", "expanded_bytes", "expansion_floor", "memory_bytes"])
def test_sizes_are_written_with_their_unit(name: str) -> None:
    assert getattr(load(f"[limits]\n{name} = '3 MiB'").limits, name) == 3 << 20
