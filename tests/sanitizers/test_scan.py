"""The scanner: severities, states, layers, limits, and rule sets that do not compile."""

from __future__ import annotations

from typing import Any

import pytest
import yara

from sanitizers import scan as scan_module
from sanitizers.model import Kind, LimitExceeded, Match, Seen, Severity
from sanitizers.scan import NO_RULES, Scanner, compile_rules, version
from sanitizers.source import Source


def rule(name: str, word: str, severity: str | None = "high", condition: str = "any of them") -> str:
    meta = f'meta: severity = "{severity}"' if severity else ""
    return f'rule {name} {{ {meta} strings: $a = "{word}" condition: {condition} }}\n'


def scan(files: dict[str, str], data: bytes, where: str = "", kind: Kind = Kind.TEXT) -> list[Match]:
    return compile_rules(files).scan(Source(data), where, kind)


def test_a_match_tells_rule_severity_and_place() -> None:
    found = scan({"a.yar": rule("Virus", "virus")}, b"a virus", "word/vbaProject.bin")
    assert found == [Match(rule="Virus", severity=Severity.HIGH, where="word/vbaProject.bin", seen=(Seen("$a", 2, b"virus".hex()),))]


def test_what_a_match_shows_of_the_input_is_little() -> None:
    words = [f"word{number}{'x' * 100}" for number in range(10)]
    text = "rule Many { strings: " + " ".join(f'$w{number} = "{word}"' for number, word in enumerate(words)) + " condition: all of them }"
    [match] = scan({"a.yar": text}, " ".join(words * 1_000).encode())
    assert [one.name for one in match.seen] == ["$w0", "$w1", "$w2", "$w3"]
    assert [bytes.fromhex(one.bytes) for one in match.seen] == [word[:32].encode() for word in words[:4]]


def test_a_match_far_into_a_folded_text_is_told_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "_WINDOW", 1_000)
    monkeypatch.setattr(scan_module, "_OVERLAP", 100)
    monkeypatch.setattr(scan_module, "Folded", Source)
    [match] = scan({"a.yar": rule("Virus", "virus")}, b"." * 5_500 + b"virus")
    assert [one.offset for one in match.seen] == [5_500]


def test_no_match_no_rules_no_bytes() -> None:
    assert scan({"a.yar": rule("Virus", "virus")}, b"clean") == []
    assert NO_RULES.scan(Source(b"a virus"), "", Kind.TEXT) == []
    assert compile_rules({}) is NO_RULES
    assert scan({"a.yar": rule("Any", "x", condition="#a >= 0")}, b"") == []


@pytest.mark.parametrize(("said", "severity"), [("info", "info"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("huge", "medium"), (None, "medium")])
def test_severity_is_what_the_rule_says_else_medium(said: str | None, severity: str) -> None:
    assert scan({"a.yar": rule("A", "x", said)}, b"x")[0].severity == severity


def test_states_of_the_catalog() -> None:
    files = {"a.yar": rule("On", "x") + rule("Trial", "x") + rule("Off", "x") + rule("Unlisted", "x")}
    files["catalog.toml"] = '[On]\nstate = "enabled"\n[Trial]\nstate = "evaluation"\n[Off]\nstate = "disabled"\n'
    assert [(m.rule, m.severity) for m in scan(files, b"x")] == [("On", "high"), ("Trial", "info"), ("Unlisted", "high")]


def test_rules_see_kind_place_and_size() -> None:
    files = {"a.yar": rule("Seen", "x", condition='$a and kind == "pdf" and where == "page 1" and size == 3')}
    assert scan(files, b"xyz", "page 1", Kind.PDF)
    assert not scan(files, b"xyz", "page 1", Kind.DOC)
    assert not scan(files, b"xyz", "page 2", Kind.PDF)
    assert not scan(files, b"xyz1", "page 1", Kind.PDF)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"good.yar": rule("A", "x"), "bad.yar": "rule {"}, r"bad\.yar: line 1"),
        ({"bad.yar": "rule A { condition: true }\n\nrule A { condition: true }"}, r"bad\.yar: line 3"),
        ({"bad.yar": 'include "/etc/passwd"\n'}, r"bad\.yar: .*include"),
        ({"bad.yar": 'import "nothing"\nrule A { condition: true }'}, r"bad\.yar: .*nothing"),
        ({"a.yar": rule("A", "x"), "catalog.toml": "[A"}, r"catalog\.toml"),
        ({"a.yar": rule("A", "x"), "catalog.toml": '[A]\nstate = "off"'}, r"catalog\.toml: \[A\]"),
        ({"a.yar": rule("A", "x"), "catalog.toml": '[B]\nstate = "enabled"'}, r"\[B\] names no rule"),
        ({"a.yar": rule("A", "x"), "catalog.toml": 'A = "enabled"'}, r"\[A\]"),
    ],
)
def test_a_set_that_does_not_compile_names_file_and_line(files: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        compile_rules(files)


def test_files_that_are_no_rules_are_left_out() -> None:
    assert scan({"a.yar": rule("A", "x"), "README.md": "rule {"}, b"x")


class Slow:
    """Stands for compiled rules that cannot finish."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def match(self, **_: Any) -> list[Any]:
        raise self._error


@pytest.mark.parametrize("error", [yara.TimeoutError("scanning timed out"), yara.Error("internal error: 30")])
def test_a_scan_that_does_not_finish_holds_the_transfer(error: Exception) -> None:
    with pytest.raises(LimitExceeded):
        Scanner(Slow(error)).scan(Source(b"x"), "", Kind.TEXT)


def test_a_million_occurrences_cost_no_warning(recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]) -> None:
    files = {"a.yar": 'import "console"\nrule Many { strings: $a = "aa" condition: #a > 5 and console.log("heard") }'}
    assert [m.rule for m in scan(files, b"a" * 4_000_000)] == ["Many"]
    assert len(recwarn) == 0
    assert capfd.readouterr() == ("", "")


def test_version_changes_with_every_name_and_letter() -> None:
    one = {"a.yar": "x", "b.yar": "y"}
    assert version({}) == ""
    assert len(version(one)) == 16
    assert version(one) == version(dict(reversed(one.items())))
    assert len({version(files) for files in (one, {"a.yar": "xy", "b.yar": ""}, {"a.yar": "x", "c.yar": "y"}, {"a.yar": "x"})}) == 4
