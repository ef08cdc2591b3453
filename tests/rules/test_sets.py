"""Cut sets of rules find what the whole set finds: over every sample, every kind and the real files; and strings rewritten for speed too."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import yara

from sanitizers import rule_sets
from sanitizers.model import Kind, Match, Severity
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source
from tests.build import corpus
from tests.rules.test_rules import CATALOG, CLEAN, FILES, FIRES, NEAR, SCANNER

EXTERNALS: dict[str, Any] = {"kind": "", "where": "", "size": 0}
SOURCES = {name: text for name, text in sorted(FILES.items()) if name.endswith(".yar")}
STATES = {rule: row["state"] for rule, row in CATALOG.items()}
# Nothing cut, and no kinds: what the conditions alone say.
WHOLE = yara.compile(sources={name: text.replace("kinds = ", "about = ") for name, text in SOURCES.items()}, externals=EXTERNALS)
PLAIN = Scanner(WHOLE, STATES)
SAMPLES = [(sample[1], sample[2] if len(sample) > 2 else "") for table in (FIRES, NEAR) for samples in table.values() for sample in samples]
SAMPLES += [(data, "") for _, data in CLEAN]


def rules_of(compiled: yara.Rules) -> list[str]:
    return [rule.identifier for rule in compiled]


def high(matches: list[Match]) -> list[Match]:
    return [match for match in matches if match.severity is Severity.HIGH]


@pytest.mark.parametrize("kind", list(Kind))
def test_cut_sets_find_what_the_whole_set_finds(kind: Kind) -> None:
    for data, where in SAMPLES:
        source = Source(data)  # type: ignore[arg-type]
        plain = PLAIN.scan(source, where, kind)  # type: ignore[arg-type]
        assert SCANNER.scan(source, where, kind) == plain, data  # type: ignore[arg-type]
        assert SCANNER.scan_for_blocking(source, where, kind) == high(plain), data  # type: ignore[arg-type]


COMPARE = """
import json, pathlib, sys, yara
from sanitizers.identify import identify
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source
top, rules = pathlib.Path(sys.argv[1]), pathlib.Path("rules")
files = {path.name: path.read_text("utf-8") for path in sorted(rules.iterdir()) if path.suffix in (".yar", ".toml")}
cut = compile_rules(files)
texts = {name: text.replace("kinds = ", "about = ") for name, text in files.items() if name.endswith(".yar")}
whole = Scanner(yara.compile(sources=texts, externals={"kind": "", "where": "", "size": 0}), cut._states)
answer = {}
for path in top.rglob("*"):
    if path.is_file():
        source = Source(path.read_bytes())
        kind = identify(source, path.name)
        plain = whole.scan(source, "", kind)
        high = [match for match in plain if match.severity == "high"]
        answer[str(path)] = [len(plain), cut.scan(source, "", kind) == plain, cut.scan_for_blocking(source, "", kind) == high]
print(json.dumps(answer))
"""


@pytest.mark.corpus
@pytest.mark.skipif(not corpus.manifest(), reason="the shared corpus is absent")
def test_cut_sets_find_what_the_whole_set_finds_in_real_files() -> None:
    answer = corpus.ask(COMPARE)
    assert sum(found for found, *_ in answer.values()) > 0
    assert [path for path, (_, *same) in answer.items() if same != [True, True]] == []


def test_every_file_of_ours_can_be_cut() -> None:
    assert rules_of(SCANNER._narrowed[Kind.JPEG]) == [
        rule.identifier for rule in SCANNER._rules if "kinds" not in rule.meta  # type: ignore[union-attr]
    ]
    assert "Pdf_RichMedia" in rules_of(SCANNER._narrowed[Kind.PDF])
    assert "Lure_AccountStopped" in rules_of(SCANNER._narrowed[Kind.MSG])
    assert "Lure_AccountStopped" not in rules_of(SCANNER._narrowed[Kind.PDF])
    assert all(rule.meta["severity"] == "high" for rule in SCANNER._blocking)  # type: ignore[union-attr]
    assert len(rules_of(SCANNER._blocking)) == sum(rule.meta["severity"] == "high" for rule in SCANNER._rules)  # type: ignore[union-attr]


# ---------------------------------------------------------------------------------------------------------------- files that hang together

A = 'rule A { meta: kinds = "pdf" strings: $a = "aaa" condition: $a }\n'
B = 'rule B { strings: $a = "bbb" condition: $a }\n'


def cut(text: str, kept: set[str]) -> list[str] | None:
    names = rules_of(yara.compile(source=text, externals=EXTERNALS))
    made = rule_sets.compiled({"x": text}, {"x": [(name, name in kept) for name in names]}, EXTERNALS)
    return None if made is None else rules_of(made)


@pytest.mark.parametrize("text", [A + B, B + A, f"// one\n{A}// of two\n{B}// end", f'import "hash"\n{A}/* x */\n{B}', f"/*\n rule C {{\n*/\n{A}{B}"])
def test_a_file_is_cut_between_its_rules(text: str) -> None:
    assert cut(text, {"A"}) == ["A"]
    assert cut(text, {"B"}) == ["B"]
    assert cut(text, set()) == []


@pytest.mark.parametrize(
    "text",
    [
        A.replace("rule A", "private rule A") + B.replace("$a }", "$a and A }"),
        A + " " + B,
        A.replace("rule A", "global rule A") + B,
        A + B.replace("condition: $a", "condition: $a and any of (A*)"),
        A + B.replace("condition: $a", "condition: $a and any of /* x */ (A*)"),
        A + 'import "hash"\n' + B,
        f"/*\nrule C {{\n*/\n{A}{B}",
        A.replace("aaa", "1 of (B*)") + B,
    ],
)
def test_a_file_that_could_hang_together_comes_along_whole(text: str) -> None:
    assert cut(text, {"B"}) == ["A", "B"]


def test_a_rule_that_names_another_is_not_used_without_it() -> None:
    text = A + B.replace("condition: $a", "condition: $a and A")
    assert cut(text, {"B"}) is None
    assert cut(text, {"A"}) == ["A"]
    scanner = compile_rules({"x.yar": text})
    assert scanner._narrowed[Kind.PNG] is scanner._rules
    assert [match.rule for match in scanner.scan(Source(b"aaa bbb"), "", Kind.PNG)] == ["B"]


def test_a_comment_across_two_rules_is_no_seam() -> None:
    text = A + "/*\nrule C { condition: true }\n*/\n" + B
    assert cut(text, {"B"}) == ["A", "B"]


def test_a_rule_is_asked_about_its_kinds_only() -> None:
    scanner = compile_rules({"x.yar": A + B})
    found = {kind: [match.rule for match in scanner.scan(Source(b"aaa bbb"), "", kind)] for kind in (Kind.PDF, Kind.TEXT, Kind.JPEG)}
    assert found == {Kind.PDF: ["A", "B"], Kind.TEXT: ["B"], Kind.JPEG: ["B"]}


@pytest.mark.parametrize("said", ['"pdf portable"', '""', "3", "true", '"PDF"'])
def test_kinds_that_do_not_exist_are_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"x\.yar: A: .*kinds"):
        compile_rules({"x.yar": A.replace('"pdf"', said)})


@pytest.mark.parametrize("state", ["disabled", "evaluation"])
def test_what_does_not_block_is_not_asked_about_what_is_written(state: str) -> None:
    strong = B.replace("strings", 'meta: severity = "high" strings')
    files = {"x.yar": A + strong}
    blocking = compile_rules(files).scan_for_blocking(Source(b"aaa bbb"), "", Kind.PDF)
    assert [(match.rule, match.severity) for match in blocking] == [("B", "high")]
    files["catalog.toml"] = f'[B]\nstate = "{state}"\n'
    scanner = compile_rules(files)
    assert scanner.scan_for_blocking(Source(b"aaa bbb"), "", Kind.PDF) == []
    assert ("B" in [match.rule for match in scanner.scan(Source(b"bbb"), "", Kind.PDF)]) is (state == "evaluation")


def test_a_thousand_rules_of_others_come_along() -> None:
    many = "".join(f'rule R{number} {{ strings: $a = "text number {number};" condition: $a }}\n' for number in range(1_000))
    scanner = compile_rules({**FILES, "many.yar": many})
    assert [match.rule for match in scanner.scan(Source(b"a text number 777;"), "", Kind.PNG)] == ["R777"]
    assert len(rules_of(scanner._narrowed[Kind.PNG])) == 1_000 + len(rules_of(SCANNER._narrowed[Kind.PNG]))


# ---------------------------------------------------------------------------------------------------------------- rewritten for speed

# Rule → the plain expression that the strings of this prefix stand for.
PLAINLY = {
    ("links.yar", "Link_HiddenHost", "$user"):
        r"""/https?:\/\/[a-z0-9.-]{1,80}\.(co\.jp|go\.jp|lg\.jp|ne\.jp|com|jp)(:[^@\s\/"'<>]{0,40})?@[a-z0-9.-]{3,80}/ nocase ascii wide""",
    ("links.yar", "Link_ProgramOnBareAddress", "$a"):
        r"""/https?:\/\/\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\/[^\s"'<>]{1,200}\.(exe|scr|hta|ps1|vbs|js|jar|lnk|bat|msi|iso|dll)\b/ nocase ascii wide""",
    ("office.yar", "Office_Dde", "$topic"): r"""/=\s*["']?[a-z]{2,12}\|['"]/ nocase ascii""",
}  # fmt: skip
WORDS = {
    "$user": ["http", "https", "://", "user", "www.", "a", "-", ".", ".co", ".go", ".ne", ".jp", ".com", ".JP", ":", "@", "x", "/", " ", "y" * 40, "z" * 79],
    "$a": ["http", "https", "HTTPS", "://", "1", "203", ".", "0", ":80", "/", "a", "get.", "exe", "js", "json", ".dll", " ", "w" * 199, "'"],
    "$topic": ["=", " ", "\n", "'", '"', "cmd", "Excel", "a", "|", "word", "abcdefghijkl", "m"],
}


@pytest.mark.parametrize(("file", "rule", "prefix"), PLAINLY)
def test_rewritten_strings_find_what_the_plain_expression_finds(file: str, rule: str, prefix: str) -> None:
    lines = [line for line in SOURCES[file].split(f"rule {rule}\n")[1].split("condition:")[0].splitlines() if line.strip().startswith(prefix)]
    fast = yara.compile(source=f"rule X {{ strings: {chr(10).join(lines)}\ncondition: any of them }}")
    plain = yara.compile(source=f"rule X {{ strings: $a = {PLAINLY[file, rule, prefix]}\ncondition: $a }}")
    chance = random.Random(prefix)
    found = [0, 0]
    for _, made_wide in itertools.product(range(6_000), (False, True)):
        text = "".join(chance.choices(WORDS[prefix], k=chance.randint(4, 9)))
        text = likely(prefix, chance) if chance.random() < 0.7 else text
        data = text.encode("utf-16-le" if made_wide else "ascii")
        seen = bool(plain.match(data=data))
        assert bool(fast.match(data=data)) is seen, data
        found[seen] += 1
    assert min(found) > 500


def likely(prefix: str, chance: random.Random) -> str:
    """Near what the expression wants: each part there or not."""
    parts = {
        "$user": ["http", "s", "://", "a" * chance.choice((0, 1, 76, 77, 78, 79, 80, 81, 83, 84)), chance.choice(("", ".co", ".go", ".or")),
                  chance.choice((".jp", ".com", ".JP")), chance.choice(("", ":", ":p w", ":pw", ":" + "p" * 40, ":" + "p" * 41)), "@", "evil.example"],
        "$a": ["http", "s", "://", "203.0.113.7", chance.choice(("", ":8080", ":999999")), "/", "w" * chance.choice((0, 1, 199, 200, 201)),
               chance.choice((".exe", ".JS", ".json", ".msi")), chance.choice(("", " ", "x", '"'))],
        "$topic": ["=", chance.choice(("", " ", "\r\n ")), chance.choice(("", "'", '"')), chance.choice(("cmd", "abcdefghijkl", "abcdefghijklm", "1")), "|",
                   chance.choice(("'", '"', "x"))],
    }[prefix]  # fmt: skip
    return "".join(part for part in parts if chance.random() < 0.93)
