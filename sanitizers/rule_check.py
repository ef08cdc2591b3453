"""Compiles rule files in a process of its own, behind the walls of the jail, and says what is wrong with which rule.

Started by the road with one descriptor: the question as JSON. The answer is JSON on standard output. Rules from elsewhere are hostile
input to a compiler written in C; so nothing but this process reads them before they are agreed to.
"""

from __future__ import annotations

import argparse
import codecs
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import yara

from sanitizers import rule_text, scan
from sanitizers.jail import walls
from sanitizers.model import Limits
from sanitizers.rule_text import Rule
from sanitizers.rule_words import RuleAnswer, RuleAt, RuleCost, RuleFault, RuleQuestion

_LIMITS: Final = Limits(memory_bytes=2 << 30, cpu_seconds=300)
_LINE: Final = re.compile(r"line (\d+): (.*)", re.DOTALL)
_EXTERNALS: Final = {"kind": "", "where": "", "size": 0}
_MIB: Final = 1 << 20
_SCAN_SECONDS: Final = 10
_TEXT: Final = 500
_MOST_FAULTS: Final = 10_000
_ANY: Final = "rules.yar"


# ----------------------------------------------------------------------------------------------------------- compiling


def answer(question: RuleQuestion) -> RuleAnswer:
    """Of the whole set: faults, or its rules. Of foreign files: what compiles, and why the rest does not."""
    if question.foreign:
        return _foreign(question)
    try:
        scan.compile_rules(question.files)
    except ValueError as error:
        faults = [fault for name, text in _sources(question.files) for fault in _faults(name, text)]
        return RuleAnswer(faults=tuple(faults[:_MOST_FAULTS]) or (RuleFault(file="", line=0, rule="", text=str(error)[:_TEXT]),))
    rules = [
        RuleAt(name=rule.name, file=name, line=rule.line)
        for name, text in _sources(question.files)
        for rule in rule_text.parts(text).rules
    ]
    costs = tuple(_costs(question.files)) if question.cost else ()
    return RuleAnswer(version=scan.version(question.files), rules=tuple(rules), costs=costs)


def _sources(files: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in sorted(files.items()) if name.endswith(".yar")]


def _error(text: str) -> tuple[int, str] | None:
    """Line and words of what the compiler has against it."""
    try:
        yara.compile(source=text, externals=_EXTERNALS, includes=False)
    except (yara.Error, UnicodeEncodeError, ValueError) as error:
        match = _LINE.fullmatch(str(error))
        return (int(match[1]), match[2][:_TEXT]) if match else (0, str(error)[:_TEXT])
    try:
        # What a scan asks of its rules beside the compiler's own wishes.
        if "kinds" in text:
            scan.compile_rules({_ANY: text})
    except ValueError as error:
        return 0, str(error).removeprefix(f"{_ANY}: ")[:_TEXT]
    return None


def _faults(name: str, text: str) -> list[RuleFault]:
    """Of one file: the rules in it that do not compile, each looked at alone; the file itself where all of them do."""
    error = _error(text)
    if error is None:
        return []
    _, faults = _sifted(name, text, {})
    return faults or [RuleFault(file=name, line=error[0], rule="", text=error[1])]


def _foreign(question: RuleQuestion) -> RuleAnswer:
    beside = [(name, text) for name, text in _sources(question.files) if name not in question.foreign]
    known = {rule.name: name for name, text in beside for rule in rule_text.parts(text).rules}
    taken, faults, rules = {}, [], []
    for name, text in _sources(question.foreign):
        good, bad = _sifted(name, text, known)
        faults += bad
        if not good:
            continue
        taken[name] = _written(rule_text.parts(text).imports, good)
        if error := _error(taken[name]):
            faults.append(RuleFault(file=name, line=error[0], rule="", text=error[1]))
            del taken[name]
            continue
        known |= dict.fromkeys((rule.name for rule in good), name)
        rules += [RuleAt(name=rule.name, file=name, line=rule.line) for rule in good]
    return RuleAnswer(rules=tuple(rules), faults=tuple(faults[:_MOST_FAULTS]), taken=taken)


def _sifted(name: str, text: str, known: Mapping[str, str]) -> tuple[list[Rule], list[RuleFault]]:
    """The rules of a file that compile, each alone with what it rests on, and what is against the others."""
    found = rule_text.parts(text)
    good: dict[str, Rule] = {}
    faults = [RuleFault(file=name, line=line, rule="", text="not a rule (an include, or unreadable)") for line in found.unread]
    for rule in found.rules:
        line, why = rule.line, _unwanted(rule, known, good)
        if not why:
            needed = rule_text.with_needed(rule, good)
            error = _error(_written(found.imports, needed))
            if error is None:
                good[rule.name] = rule
                continue
            before = len(found.imports) + sum(other.text.count("\n") + 1 for other in needed[:-1])
            line, why = rule.line + max(error[0] - before - 1, 0), error[1]
        faults.append(RuleFault(file=name, line=line, rule=rule.name, text=why))
    return list(good.values()), faults


def _unwanted(rule: Rule, known: Mapping[str, str], good: Mapping[str, Rule]) -> str:
    if rule.is_global:
        return "a global rule decides over all others of its file"
    if rule.name in known:
        return f"a rule of this name is in {known[rule.name]}"
    return "a second rule of this name" if rule.name in good else ""


def _written(imports: Sequence[str], rules: Sequence[Rule]) -> str:
    return "".join(f"{text}\n" for text in (*imports, *(rule.text for rule in rules)))


# ------------------------------------------------------------------------------------------------------------ its cost


def _costs(files: Mapping[str, str]) -> Iterator[RuleCost]:
    """The dearest first."""
    sample = _sample()
    idle = _milliseconds(yara.compile(source="rule Idle { condition: false }"), sample)
    found = []
    for name, text in _sources(files):
        parts = rule_text.parts(text)
        before: dict[str, Rule] = {}
        for rule in parts.rules:
            source = _written(parts.imports, rule_text.with_needed(rule, before))
            before[rule.name] = rule
            compiled = yara.compile(source=source, externals=_EXTERNALS, includes=False)
            cost = max(_milliseconds(compiled, sample) - idle, 0.0) / (len(sample) / _MIB)
            found.append(RuleCost(name=rule.name, file=name, ms_per_mib=round(cost, 3)))
    yield from sorted(found, key=lambda cost: -cost.ms_per_mib)


def _milliseconds(rules: yara.Rules, sample: bytes) -> float:
    """The quicker of two: a machine that is busy besides makes the slower one."""
    taken = []
    for _ in range(2):
        begin = time.perf_counter()
        try:
            rules.match(data=sample, timeout=_SCAN_SECONDS, fast=True, warnings_callback=_go_on, console_callback=_ignore)
        except yara.Error:
            return _SCAN_SECONDS * 1000.0
        taken.append((time.perf_counter() - begin) * 1000)
    return min(taken)


def _go_on(*_: object) -> int:
    return int(yara.CALLBACK_CONTINUE)


def _ignore(_: object) -> None:
    """Rules may print; nobody listens."""


def _sample() -> bytes:
    """A MiB of what comes: prose, markup, Base64, tables of numbers, bytes without an order, bytes that are all the same."""
    prose = "関係各位 本件につきましては添付の資料をご確認ください。 The committee will meet on Tuesday; see the attached file. ".encode()
    markup = b'<tr><td class="amount">1,234</td><td><a href="https://www.example.jp/list?id=17">next</a></td></tr>\r\n'
    coded = b"TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuIDxodG1sPiBmdW5jdGlvbigpIHsgcmV0dXJuIDE7IH0gPC9odG1sPg==\r\n"
    numbers = b"".join(index.to_bytes(4, "little") for index in range(1 << 15))
    state, noise = 1, bytearray()
    for _ in range(1 << 16):
        state = state * 6_364_136_223_846_793_005 + 1 & (1 << 64) - 1
        noise += (state >> 32).to_bytes(4, "little")
    same = bytes(1 << 16) + b"\x90" * (1 << 16) + b"A" * (1 << 16)
    filled = (_filled(prose, 1 << 18), _filled(markup, 1 << 17), _filled(coded, 1 << 16))
    return b"".join((*filled, numbers, bytes(noise), same)).ljust(_MIB, b" ")


def _filled(pattern: bytes, size: int) -> bytes:
    return (pattern * (size // len(pattern) + 1))[:size]


# ---------------------------------------------------------------------------------------------------------- the process


def main() -> int:
    """Answers one question about rules behind the walls. Returns the exit status."""
    arguments = argparse.ArgumentParser(prog="sekisho-rule-check")
    arguments.add_argument("--question", type=int, required=True, help="descriptor of the question")
    given = arguments.parse_args()
    with os.fdopen(given.question, "rb") as stream:
        question = msgspec.json.decode(stream.read(), type=RuleQuestion)
    # What would be loaded from files that cannot be opened behind the walls.
    for encoding in ("ascii", "latin-1", "utf-8"):
        codecs.lookup(encoding)
    try:
        walls.put_up_inner(_LIMITS, walls.put_up_outer())
    except OSError:
        if question.jail_required:
            raise
    view = memoryview(msgspec.json.encode(answer(question)))
    while view:
        view = view[os.write(sys.stdout.fileno(), view[:_MIB]) :]
    # Not through the interpreter's last rites: they want what the walls forbid.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
