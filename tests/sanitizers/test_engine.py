"""The engine: the order of its steps, its guards past their limits, and that no failure lets bytes through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sanitizers import engine as engine_module
from sanitizers.context import Context, Outcome, Rebuilt
from sanitizers.engine import Engine
from sanitizers.formats import BY_KIND
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import (
    Action,
    Encrypted,
    Job,
    Kind,
    LimitExceeded,
    Limits,
    Malformed,
    Match,
    Reason,
    Severity,
    Verdict,
    VerificationFailed,
)
from sanitizers.source import Source
from sanitizers.verify import VERIFIERS

Play = Callable[[Source, Context], Rebuilt]


class FakeScanner:
    """Finds `virus` (high) and `odd` (low) in whatever it is shown."""

    def scan(self, source: Source, where: str, kind: Kind) -> list[Match]:
        found = []
        if b"virus" in source.bytes():
            found.append(Match(rule="Virus", severity=Severity.HIGH, where=where))
        if b"odd" in source.bytes():
            found.append(Match(rule="Odd", severity=Severity.LOW, where=where))
        return found

    def scan_for_blocking(self, source: Source, where: str, kind: Kind) -> list[Match]:
        return [match for match in self.scan(source, where, kind) if match.severity is Severity.HIGH]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Callable[[Play], None]:
    """Everything is text, handled by the given function; other kinds by their first word: `exe…` is a program."""

    def identify(source: Source, _: str) -> Kind:
        return Kind.PE if source.head(3) == b"exe" else Kind.PDF if source.head(3) == b"pdf" else Kind.TEXT

    monkeypatch.setattr(engine_module.identify, "identify", identify)
    monkeypatch.setattr(engine_module.identify, "forbidden", lambda kind, *_: "a program" if kind is Kind.PE else None)
    monkeypatch.setattr(engine_module.identify, "mismatch", lambda *_: None)
    monkeypatch.setitem(VERIFIERS, Kind.TEXT, lambda *_: None)
    monkeypatch.delitem(BY_KIND, Kind.PDF, raising=False)

    def install(play: Play) -> None:
        monkeypatch.setitem(BY_KIND, Kind.TEXT, Sanitizer("fake", frozenset({Kind.TEXT}), play, "", "", "", ""))

    return install


def run(data: bytes, **limits: object) -> Outcome:
    job = Job(name="a.txt", limits=Limits(**limits))  # type: ignore[arg-type]
    return Engine(job, FakeScanner(), len(data)).run(Source(data))  # type: ignore[arg-type]


def copy(source: Source, _: Context) -> Rebuilt:
    return Rebuilt(Source(source.bytes()), Kind.TEXT)


def strip_x(source: Source, context: Context) -> Rebuilt:
    if b"x" in source.bytes():
        context.found("file.metadata", "somewhere")
    return Rebuilt(Source(source.bytes().replace(b"x", b"")), Kind.TEXT)


def test_a_file_with_nothing_to_remove_is_clean(stage: Callable[[Play], None]) -> None:
    stage(strip_x)
    outcome = run(b"plain")
    assert outcome.report.verdict is Verdict.CLEAN
    assert outcome.content is not None
    assert outcome.content.bytes() == b"plain"


def test_a_removal_makes_it_sanitized_and_is_listed(stage: Callable[[Play], None]) -> None:
    stage(strip_x)
    outcome = run(b"plaxin")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert [finding.code for finding in outcome.report.findings] == ["file.metadata"]
    assert outcome.report.output is not None
    assert outcome.report.output.size == 5


@pytest.mark.parametrize(("data", "verdict", "reason"), [(b"exe", Verdict.BLOCKED, Reason.FORBIDDEN_KIND), (b"pdf", Verdict.HELD, Reason.UNSUPPORTED_KIND)])
def test_forbidden_and_unknown_kinds_stay_inside(stage: Callable[[Play], None], data: bytes, verdict: Verdict, reason: Reason) -> None:
    stage(copy)
    outcome = run(data)
    assert (outcome.report.verdict, outcome.report.reason, outcome.content) == (verdict, reason, None)


def test_malware_in_the_input_blocks_before_any_format_sees_it(stage: Callable[[Play], None]) -> None:
    def never(*_: object) -> Rebuilt:
        raise AssertionError("must not be called")

    stage(never)
    outcome = run(b"a virus")
    assert (outcome.report.verdict, outcome.report.reason) == (Verdict.BLOCKED, Reason.MALWARE)


def test_malware_in_a_decoded_layer_blocks(stage: Callable[[Play], None]) -> None:
    def hides(source: Source, context: Context) -> Rebuilt:
        context.scan_layer(b"decoded virus", "macro")
        return copy(source, context)

    stage(hides)
    outcome = run(b"innocent")
    assert (outcome.report.verdict, outcome.report.reason, outcome.content) == (Verdict.BLOCKED, Reason.MALWARE, None)
    assert outcome.report.matches[0].where == "macro"


def test_a_low_match_is_reported_and_delivered(stage: Callable[[Play], None]) -> None:
    stage(copy)
    outcome = run(b"odd thing")
    assert outcome.report.verdict is Verdict.CLEAN
    assert [match.rule for match in outcome.report.matches] == ["Odd"]


@pytest.mark.parametrize(
    ("output", "says"), [(b"pdf now", "looks like pdf"), (b"a virus", "matches the result"), (b"still x", "still finds")]
)
def test_a_result_that_does_not_verify_is_held(stage: Callable[[Play], None], output: bytes, says: str) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        if b"x" in source.bytes():
            context.found("file.metadata")
        return Rebuilt(Source(output), Kind.TEXT)

    stage(play)
    outcome = run(b"input")
    assert (outcome.report.verdict, outcome.report.reason, outcome.content) == (Verdict.HELD, Reason.VERIFICATION_FAILED, None)
    assert says in outcome.report.findings[-1].detail


def test_a_second_opinion_that_refuses_holds(stage: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise VerificationFailed("no")

    stage(copy)
    monkeypatch.setitem(VERIFIERS, Kind.TEXT, refuse)
    assert run(b"input").report.reason is Reason.VERIFICATION_FAILED


def test_a_kind_without_a_second_opinion_is_not_delivered(stage: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch) -> None:
    stage(copy)
    monkeypatch.delitem(VERIFIERS, Kind.TEXT)
    assert run(b"input").report.reason is Reason.VERIFICATION_FAILED


def test_a_second_pass_that_refuses_the_result_holds(stage: Callable[[Play], None]) -> None:
    def play(source: Source, _: Context) -> Rebuilt:
        if source.bytes() == b"out":
            raise Malformed("cannot read my own output")
        return Rebuilt(Source(b"out"), Kind.TEXT)

    stage(play)
    assert run(b"in").report.reason is Reason.VERIFICATION_FAILED


def test_a_second_pass_past_its_limits_is_a_limit_of_the_whole(stage: Callable[[Play], None]) -> None:
    def play(_: Source, context: Context) -> Rebuilt:
        if context.second_pass:
            raise LimitExceeded("cells")
        return Rebuilt(Source(b"out"), Kind.TEXT)

    stage(play)
    with pytest.raises(LimitExceeded, match="cells"):
        run(b"in")


def test_a_bug_in_a_format_is_not_turned_into_a_verdict(stage: Callable[[Play], None]) -> None:
    def play(*_: object) -> Rebuilt:
        raise KeyError("bug")

    stage(play)
    with pytest.raises(KeyError):
        run(b"input")


def container(source: Source, context: Context) -> Rebuilt:
    """`(a|b)`: every member goes round the engine; those that are not delivered are left out."""
    data = source.bytes()
    if not data.startswith(b"("):
        return strip_x(source, context)
    kept = []
    for member in data[1:-1].split(b"|"):
        outcome = context.embed("member.txt", member, "member")
        if outcome.content is None:
            context.found("file.policy", "member")
        else:
            kept.append(outcome.content.bytes())
    return Rebuilt(Source(b"(" + b"|".join(kept) + b")"), Kind.TEXT)


def test_members_go_round_the_engine_and_a_bad_one_is_left_out(stage: Callable[[Play], None]) -> None:
    stage(container)
    outcome = run(b"(plain|exe|an x)")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.content is not None
    assert outcome.content.bytes() == b"(plain|an )"
    assert [part.verdict for part in outcome.report.parts] == [Verdict.CLEAN, Verdict.BLOCKED, Verdict.SANITIZED]


def test_malware_in_a_member_blocks_its_container(stage: Callable[[Play], None]) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        if source.bytes() == b"packed":
            context.embed("member.txt", b"a virus", "member")
        return copy(source, context)

    stage(play)
    outcome = run(b"packed")
    assert (outcome.report.verdict, outcome.report.reason, outcome.content) == (Verdict.BLOCKED, Reason.MALWARE, None)
    assert outcome.report.findings[-1].where == "member"


def test_malware_in_an_attachment_leaves_the_mail_to_its_sanitizer(stage: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        context.kind = Kind.EML
        if source.bytes() == b"packed" and context.embed("member.txt", b"a virus", "member").content is None:
            context.found("file.policy", "member")
        return Rebuilt(Source(b"text only"), Kind.TEXT)

    stage(play)
    outcome = run(b"packed")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.report.parts[0].reason is Reason.MALWARE


def test_a_container_of_clean_members_is_clean(stage: Callable[[Play], None]) -> None:
    stage(container)
    assert run(b"(a|b)").report.verdict is Verdict.CLEAN


def test_an_encrypted_member_is_an_outcome_and_not_the_end(stage: Callable[[Play], None]) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        if source.bytes() == b"locked":
            raise Encrypted("needs a password")
        return container(source, context)

    stage(play)
    outcome = run(b"(a|locked)")
    assert outcome.report.parts[1].reason is Reason.ENCRYPTED
    assert outcome.content is not None


@pytest.mark.parametrize(("member", "verdict"), [(b"as it is", Verdict.CLEAN), (b"changed", Verdict.HELD), (b"exe", Verdict.HELD), (b"locked", Verdict.HELD)])
def test_a_member_that_appears_in_the_second_pass_only_must_come_through_as_it_is(stage: Callable[[Play], None], member: bytes, verdict: Verdict) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        if source.bytes() == b"out":
            context.embed("new", member, "smuggled")
        if source.bytes() == b"locked":
            raise Encrypted("needs a password")
        rebuilt = {b"in": Source(b"out"), b"changed": Source(b"otherwise")}
        return Rebuilt(rebuilt.get(source.bytes(), source), Kind.TEXT)

    stage(play)
    report = run(b"in").report
    assert report.verdict is verdict
    if verdict is Verdict.HELD:
        assert report.reason is Reason.VERIFICATION_FAILED
        assert report.findings[-1].detail.endswith("smuggled changes once more")


def nest(depth: int) -> Play:
    def play(source: Source, context: Context) -> Rebuilt:
        if context.depth < depth:
            context.embed("inner", source.bytes() + b".", "inner")
        return copy(source, context)

    return play


def test_depth_at_the_limit_passes_and_past_it_holds_everything(stage: Callable[[Play], None]) -> None:
    stage(nest(3))
    assert run(b"a", depth=3).content is not None
    stage(nest(4))
    with pytest.raises(LimitExceeded, match="deeper"):
        run(b"a", depth=3)


def test_parts_at_the_limit_pass_and_past_it_hold_everything(stage: Callable[[Play], None]) -> None:
    stage(container)
    assert run(b"(a|b|c)", parts=4).content is not None
    with pytest.raises(LimitExceeded, match="parts"):
        run(b"(a|b|c|d)", parts=4)


def test_input_past_its_limit_is_refused_at_once(stage: Callable[[Play], None]) -> None:
    stage(copy)
    assert run(b"12345", input_bytes=5).content is not None
    with pytest.raises(LimitExceeded, match="input"):
        run(b"123456", input_bytes=5)


@pytest.mark.parametrize(
    ("limit", "spend"),
    [
        ("expanded_bytes", lambda budget, count: budget.spend_bytes(count)),
        ("pages", lambda budget, count: budget.spend_pages(count)),
        ("cells", lambda budget, count: budget.spend_cells(count)),
        ("pixels", lambda budget, count: budget.check_frame(count, 1)),
        ("frames", lambda budget, count: budget.check_frame(1, 1, count - 1)),
    ],
)
def test_every_number_of_the_limits_holds_the_whole_transfer(stage: Callable[[Play], None], limit: str, spend: Callable[..., None]) -> None:
    def play(count: int) -> Play:
        def spends(source: Source, context: Context) -> Rebuilt:
            spend(context.budget, count)
            return copy(source, context)

        return spends

    stage(play(10))
    assert run(b"a", **{limit: 10}).content is not None
    stage(play(11))
    with pytest.raises(LimitExceeded):
        run(b"a", **{limit: 10})


def test_a_report_longer_than_anybody_reads_holds_the_whole_transfer(stage: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizers.budget.MOST_FINDINGS", 5)

    def play(count: int) -> Play:
        def finds(source: Source, context: Context) -> Rebuilt:
            for number in range(count):
                for _ in range(3):
                    context.found("file.metadata", f"place {number}", Action.KEPT)      # counts once
            return copy(source, context)

        return finds

    stage(play(5))
    assert len(run(b"a").report.findings) == 5
    stage(play(6))
    with pytest.raises(LimitExceeded, match="more than 5 findings"):
        run(b"a")


def test_expansion_is_also_bounded_by_the_ratio(stage: Callable[[Play], None]) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        context.budget.spend_bytes(1001)
        return copy(source, context)

    stage(play)
    with pytest.raises(LimitExceeded):
        run(b"12345", expansion_ratio=200, expansion_floor=0)
    assert run(b"123456", expansion_ratio=200, expansion_floor=0).content is not None


def test_a_kept_finding_is_no_change(stage: Callable[[Play], None]) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        context.found("file.metadata", "", Action.KEPT)
        return copy(source, context)

    stage(play)
    assert run(b"a").report.verdict is Verdict.CLEAN


def test_an_undeclared_code_is_a_bug(stage: Callable[[Play], None]) -> None:
    def play(source: Source, context: Context) -> Rebuilt:
        context.found("no.such_code")
        return copy(source, context)

    stage(play)
    with pytest.raises(KeyError):
        run(b"a")
