"""Exceptions (例外措置) as policy lays them on: what one changes, for which part, and when it counts as used."""

from __future__ import annotations

import msgspec
import pytest

from gateway.policy import (
    Excepted,
    KindAction,
    Policy,
    decide,
    effective,
    load,
    used,
)
from gateway.policy.layers import strictest
from sanitizers.model import Kind, Reason, Verdict
from tests.build.transfer import BODY, at, digest, report

LATER = 2e9
DRAWING = report(Verdict.CONFIRMED, source=b"DXF", output=b"DXF", kind=Kind.DXF)


def excepted(kind: Kind = Kind.SVG, action: KindAction = KindAction.SANITIZE, sha256: str = "") -> Excepted:
    return Excepted(number="EX-2026-0001", kind=kind, action=action, until=LATER, approver="ciso", sha256=sha256)


def test_an_exception_is_the_last_layer() -> None:
    policy = load("[kinds]\nsvg = 'block'\n[doors.smtp.kinds]\nsvg = 'hold'")
    given = report(kind=Kind.SVG)
    assert decide(given, effective(policy, at())).reason is Reason.POLICY
    let = effective(policy, at(), [excepted()])
    assert decide(given, let).verdict is Verdict.SANITIZED
    assert [one.number for one in used(given, let)] == ["EX-2026-0001"]
    assert used(report(kind=Kind.PDF), let) == ()
    assert let.version == policy.version
    assert effective(policy, at()).exceptions == (), "the next transfer has none"


def test_one_that_allows_no_more_than_policy_is_none() -> None:
    let = effective(Policy(), at(), [excepted(), excepted(Kind.DXF, KindAction.CONFIRM, digest(b"DXF"))])
    assert [one.kind for one in let.exceptions] == [Kind.DXF]
    assert used(report(kind=Kind.SVG), let) == ()


def test_one_of_a_digest_lets_that_part_alone_go() -> None:
    policy = load("[kinds]\nsvg = 'block'")
    one, other = report(kind=Kind.SVG, source=b"one"), report(kind=Kind.SVG, source=b"other")
    let = effective(policy, at(), [excepted(sha256=digest(b"one"))])
    assert decide(report(parts=(one,)), let).verdict is Verdict.SANITIZED
    assert decide(report(parts=(one, other)), let).verdict is Verdict.BLOCKED
    assert used(report(parts=(other,)), let) == ()


def test_one_of_a_digest_is_for_its_kind_and_its_action_alone() -> None:
    policy = load("[kinds]\nsvg = 'block'\nemf = 'block'")
    let = effective(policy, at(), [excepted(sha256=digest(b"one"))])
    assert decide(report(parts=(report(kind=Kind.EMF, source=b"one"),)), let).verdict is Verdict.BLOCKED
    rebuilt = effective(load("[kinds]\ndxf = 'hold'"), at(), [excepted(Kind.DXF, KindAction.SANITIZE, digest(b"DXF"))])
    assert decide(DRAWING, rebuilt).reason is Reason.VERIFICATION_FAILED


def test_one_counts_as_used_where_something_was_delivered_by_it() -> None:
    policy = load("[kinds]\nsvg = 'block'")
    one = report(kind=Kind.SVG, source=b"one")
    by_digest = effective(policy, at(), [excepted(sha256=digest(b"one"))])
    assert [each.number for each in used(report(parts=(one,)), by_digest)] == ["EX-2026-0001"]
    stopped = report(Verdict.HELD, Reason.MALFORMED, kind=Kind.SVG, source=b"one")
    assert used(report(parts=(stopped,)), by_digest) == ()
    assert used(report(parts=(stopped,)), effective(policy, at(), [excepted()])) == ()


def test_an_original_of_that_digest_needs_no_other_word() -> None:
    let = effective(Policy(), at(), [excepted(Kind.DXF, KindAction.CONFIRM, digest(b"DXF"))])
    assert let.treatment.confirmed_digests == ((digest(b"DXF"), "例外措置 EX-2026-0001（承認 ciso）"),)
    assert let.treatment.confirmed_kinds == ()
    assert decide(DRAWING, let).verdict is Verdict.CONFIRMED
    assert decide(report(parts=(DRAWING,)), let).verdict is Verdict.SANITIZED
    other = report(Verdict.CONFIRMED, source=b"other", output=b"other", kind=Kind.DXF)
    assert decide(other, let).reason is Reason.VERIFICATION_FAILED
    assert decide(msgspec.structs.replace(DRAWING, input=msgspec.structs.replace(DRAWING.input, kind=Kind.PE)), let).verdict is Verdict.HELD


def test_an_original_by_sender_or_user_still_needs_a_persons_word() -> None:
    let = effective(Policy(), at(), [excepted(Kind.DXF, KindAction.CONFIRM)])
    assert let.treatment.confirmed_kinds == (Kind.DXF,)
    assert decide(DRAWING, let).reason is Reason.VERIFICATION_FAILED
    assert decide(DRAWING, let, confirmed_by="shinsa").verdict is Verdict.CONFIRMED


def test_one_of_the_whole_transfers_digest_changes_its_treatment() -> None:
    policy = load("[kinds]\npdf = 'pixels'")
    whole = excepted(Kind.PDF, KindAction.SANITIZE, digest(BODY))
    assert not effective(policy, at(sha256=digest(BODY)), [whole]).treatment.pdf_strict_pixels
    assert effective(policy, at(sha256="0" * 64), [whole]).treatment.pdf_strict_pixels


CONFIRMS = load("[kinds]\ndxf = 'confirm'\nsvg = 'hold'")
THIS = digest(b"DXF")


@pytest.mark.parametrize(
    ("one", "kept"),
    [
        (excepted(Kind.DXF, KindAction.CONFIRM, THIS), True),           # a person's word on that very file, which policy never stands for
        (excepted(Kind.DXF, KindAction.CONFIRM), False),
        (excepted(Kind.SVG, KindAction.HOLD, THIS), False),
        (excepted(Kind.SVG, KindAction.HOLD), False),
        (excepted(Kind.SVG, KindAction.SANITIZE, THIS), True),
        (excepted(Kind.DXF, KindAction.HOLD), True),
    ],
)
def test_which_exceptions_say_something_that_policy_does_not(one: Excepted, kept: bool) -> None:
    assert effective(CONFIRMS, at(), [one]).exceptions == ((one,) if kept else ())


def test_a_persons_word_on_a_file_holds_where_policy_confirms_its_kind() -> None:
    let = effective(CONFIRMS, at(sha256="0" * 64), [excepted(Kind.DXF, KindAction.CONFIRM, THIS)])
    assert decide(DRAWING, let).verdict is Verdict.CONFIRMED
    assert decide(DRAWING, effective(CONFIRMS, at(sha256="0" * 64))).verdict is Verdict.HELD


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_an_exception_without_a_digest_is_for_every_transfer(sha256: str) -> None:
    assert effective(CONFIRMS, at(sha256=sha256), [excepted()]).action(Kind.SVG) is KindAction.SANITIZE


def test_only_a_word_on_a_file_lets_that_file_be_an_original() -> None:
    for one in (excepted(Kind.DXF, KindAction.CONFIRM), excepted(Kind.SVG, KindAction.SANITIZE, THIS), excepted(Kind.DXF, KindAction.HOLD, THIS)):
        assert effective(Policy(), at(), [one]).treatment.confirmed_digests == ()


def test_what_is_forbidden_to_one_of_several_is_forbidden_to_all() -> None:
    policy = load("[groups.a]\nmembers = ['a']\ntreatment = {forbidden_extensions = ['exe', 'js']}\n[groups.b]\nmembers = ['b']\ntreatment = {forbidden_extensions = ['js', 'hta']}")
    assert effective(policy, at(people=("a", "b"))).treatment.forbidden_extensions == ("exe", "js", "hta")
    assert effective(policy, at(people=("c", "b"))).treatment.forbidden_extensions == ("js", "hta")


def test_the_exceptions_of_each_of_several_are_kept_once() -> None:
    first, second = excepted(), excepted(Kind.EMF)
    one, other = (msgspec.structs.replace(Policy(), exceptions=given) for given in ((first,), (first, second)))
    assert strictest(one, other).exceptions == strictest(other, one).exceptions == (first, second)
    assert strictest(other, Policy()).exceptions == (first, second)
