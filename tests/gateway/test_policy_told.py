"""What holds, told; and what a report leaves for a person to do."""

from __future__ import annotations

import msgspec
import pytest

from gateway.model import State
from gateway.policy import (
    Excepted,
    Facts,
    KindAction,
    Policy,
    effective,
    load,
    locked,
    macros_lost,
    releasable,
    told,
    unconfirmed,
    unrebuilt,
)
from sanitizers.model import Action, Finding, Kind, Reason, Report, Severity, Verdict
from tests.build.transfer import held, report, transfer

DOCUMENT = """
name = "県"
[limits]
pages = 500
[treatment]
mail_subject_mark = "【外部】"
[kinds]
svg = "hold"
[organisations."A町"]
strength = "最大セキュリティ"
[organisations."A町".limits]
parts = 10
[organisations."A町".treatment]
link_schemes = ["https"]
[organisations."A町".kinds]
dxf = "confirm"
[lanes.inbound.treatment]
link_schemes = ["javascript"]
"""


def lines(document: Policy, **given: object) -> list[str]:
    return told(document, effective(document, Facts(**given))).splitlines()  # type: ignore[arg-type]


def test_the_builtin_policy_is_told_in_two_lines() -> None:
    assert lines(Policy()) == [f"policy builtin, version {Policy().version}", "holds:", "  as built in"]
    assert told(Policy(), effective(Policy(), Facts())).endswith("as built in\n")


def test_each_layer_stands_with_what_it_says_and_then_what_holds() -> None:
    document = load(DOCUMENT)
    said = lines(document, organisation="A町")
    town, lane = "organisations.A町", "lanes.inbound"
    assert said[0] == f"policy 県, version {document.version}"
    assert said[1:4] == ["  house     limits.pages = 500", '  house     treatment.mail_subject_mark = "【外部】"', "  house     kinds.svg = hold"]
    assert said[4:7] == [f"  {town}  strength = security", f"  {town}  limits.parts = 10", f'  {town}  treatment.link_schemes = ["https"]']
    assert f"  {town}  treatment.pdf_strict_pixels = true" in said, "what the strength says is told too"
    at = said.index(f"  {town}  kinds.dxf = confirm")
    assert said[at + 1 : at + 3] == [f'  {lane}  treatment.link_schemes = ["javascript"]', "holds:"]
    holds = said[at + 3 :]
    assert '  treatment.link_schemes = ["javascript"]' in holds
    assert {"  limits.parts = 10", "  limits.pages = 500", "  kinds.svg = hold", "  kinds.dxf = confirm"} <= set(holds)
    assert '  treatment.confirmed_kinds = ["dxf"]' in holds
    assert [line for line in holds if line.startswith("!")] == [
        "! lanes.inbound.treatment.link_schemes: javascript は閲覧ソフトが実行・参照します / javascript is run or opened by readers"
    ]


def test_exceptions_stand_between_the_layers_and_what_holds() -> None:
    let = Excepted(number="EX-1", kind=Kind.SVG, action=KindAction.HOLD, until=2e9, approver="ciso")
    said = told(Policy(), effective(Policy(), Facts(), [let])).splitlines()
    assert said[1:] == ["  exception EX-1  svg hold", "holds:", "  kinds.svg = hold"]


# ------------------------------------------------------------------------------------------------------- what is left to do


def finding(code: str, action: Action = Action.REMOVED) -> Finding:
    return Finding(code=code, severity=Severity.MEDIUM, action=action, where="")


def part(reason: Reason | None = None, **changes: object) -> Report:
    made = report() if reason is None else report(Verdict.HELD, reason)
    return msgspec.structs.replace(made, **changes)


def of(kind: Kind, made: Report) -> Report:
    return msgspec.structs.replace(made, input=msgspec.structs.replace(made.input, kind=kind))


def test_the_innermost_lock_waits_for_the_password() -> None:
    inner = part(Reason.ENCRYPTED)
    outer = part(Reason.ENCRYPTED, parts=(inner, part()))
    beside = part(Reason.ENCRYPTED, parts=(part(Reason.MALFORMED),))
    assert locked(None) == ()
    assert locked(part(Reason.MALFORMED)) == ()
    assert locked(outer) == (inner,)
    both = locked(part(parts=(outer, beside)))
    assert len(both) == 2
    assert inner in both
    assert beside in both


def test_what_waits_for_a_persons_look() -> None:
    waits = part(Reason.POLICY, findings=(finding("file.other"), finding("confirm.approval_needed")))
    assert unconfirmed(None) == ()
    assert unconfirmed(part(Reason.POLICY, findings=(finding("file.other"),))) == ()
    assert unconfirmed(part(parts=(waits, part()))) == (waits,)


@pytest.mark.parametrize("kind", [Kind.DOCM, Kind.DOTM, Kind.XLSM, Kind.XLTM, Kind.PPTM, Kind.PPSM, Kind.POTM])
def test_macros_that_were_taken_out_could_come_with_the_file(kind: Kind) -> None:
    lost = of(kind, part(findings=(finding("ooxml.vba"),)))
    assert macros_lost(lost) == (lost,)
    assert macros_lost(of(Kind.DOCX, lost)) == ()
    assert macros_lost(of(kind, part(findings=(finding("ooxml.other"),)))) == ()
    assert macros_lost(of(kind, part(findings=(finding("ooxml.vba", Action.KEPT),)))) == ()
    assert macros_lost(of(kind, part(Reason.POLICY, findings=(finding("ooxml.vba"),)))) == (), "nothing was delivered"
    assert macros_lost(msgspec.structs.replace(lost, verdict=Verdict.CONFIRMED)) == ()
    assert macros_lost(None) == ()
    assert macros_lost(part(parts=(lost,))) == (), "only where it is the whole transfer"


def test_a_pdf_that_could_not_be_rebuilt() -> None:
    broken = of(Kind.PDF, part(Reason.MALFORMED))
    assert unrebuilt(None) == ()
    assert unrebuilt(part(parts=(broken, of(Kind.PDF, part()), of(Kind.DOCX, part(Reason.MALFORMED))))) == (broken,)
    assert unrebuilt(of(Kind.PDF, part(Reason.ENCRYPTED))) == ()
    assert unrebuilt(of(Kind.PDF, report(Verdict.BLOCKED, Reason.MALWARE))) == ()


def test_what_has_no_honest_result_is_not_released() -> None:
    stopped = {"state": State.HELD, "verdict": Verdict.HELD, "reason": Reason.POLICY}
    with_result = transfer(with_result=True, **stopped)
    assert releasable(with_result, None) is None
    assert releasable(transfer(**stopped), report(Verdict.CLEAN)) is None, "no result"
    assert releasable(with_result, held()) is None, "a report that says held"
    blocked = transfer(with_result=True, state=State.BLOCKED, verdict=Verdict.BLOCKED, reason=Reason.POLICY)
    assert releasable(blocked, report(Verdict.CLEAN)) is None
    malware = transfer(with_result=True, **(stopped | {"reason": Reason.MALWARE}))
    assert releasable(malware, report(Verdict.CLEAN)) is None
