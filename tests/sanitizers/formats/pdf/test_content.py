"""Content streams: what is copied in runs is what reading instruction by instruction takes, and what is written comes back as it is."""

from __future__ import annotations

import random

import pytest

from sanitizers.formats.pdf import content, operators, syntax

_OPERANDS = {
    "n": (b"1", b"-2.5", b".5", b"3.", b"+4", b"0"),
    "s": (b"(a)", b"(a(b)c)", b"(\\))", b"(\\(\r)", b"<41>", b"<4 1>", b"()"),
    "a": (b"[(a)-3(b)]", b"[]", b"[ 1 2 (x)]", b"[<41>1.(a)-.5]", b"[(a)(b)1 .5]"),
    "d": (b"[1 2]", b"[]", b"[ .5 ]"),
    "N": (b"/N", b"/N#20x"),
    "P": (b"/M", b"<</MCID 0>>", b"<</Lang(ja)/MCID 1>>", b"<</E/x/O[1 /a/b 2]>>", b"<< /BBox [0 0 1 1] >>"),
}
# What is no instruction, or none that is known, or makes none of its neighbours.
_FOREIGN = (
    b"--5", b"<4x>", b"/", b"[", b"]", b"(", b")", b"[(a)1-2]", b"<<", b">>", b"<</X 1>>", b"{", b"%c\n", b"true", b"null", b"Wx", b"exec", b"1",
    b"(a)", b"/N",
)  # fmt: skip
_GAPS = (b" ", b"\n", b"\x00", b"\r\n", b"  ")
_DELIMITERS = b"()<>[]{}/%"


def _instruction(rng: random.Random) -> list[bytes]:
    operator, kinds = rng.choice(list(operators.OPERANDS.items()))
    if rng.random() < 0.1:
        operator, kinds = rng.choice(sorted(operators.COLOURS)), "n" * rng.randrange(1, 9)
    pattern = [b"/P"] if operator in operators.PATTERN_COLOURS and rng.random() < 0.5 else []
    return [*(rng.choice(_OPERANDS[kind]) for kind in kinds), *pattern, operator]


def _stream(rng: random.Random, foreign: int) -> bytes:
    """Instructions with as little white space as may be, or more."""
    tokens = [token for _ in range(rng.randrange(1, 12)) for token in _instruction(rng)]
    for _ in range(foreign):
        tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(_FOREIGN))
    tight, out = rng.random() < 0.5, b""
    for token in tokens:
        apart = out[-1:] in _DELIMITERS or token[:1] in _DELIMITERS
        out += (b"" if tight and apart else rng.choice(_GAPS)) + token
    return out


def _rebuilt(data: bytes) -> content.Content:
    content._PLAIN.clear()      # each time as if for the first time
    return content.rebuild(data, lambda *_: None)


def _tokens(data: bytes) -> list[bytes]:
    tokens, position = [], 0
    while (match := syntax.token(data, position)) is not None:
        tokens.append(match[0].strip(b"\x00\t\n\f\r "))
        position = match.end()
    return tokens


def _canonical(data: bytes) -> list[bytes]:
    """All of it read and written instruction by instruction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operators, "run", lambda _data, position: position)
        return _tokens(_rebuilt(data).data)


@pytest.mark.parametrize("seed", range(10))
def test_well_formed_instructions_are_one_run(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        data = _stream(rng, 0)
        assert operators.run(data, 0) == len(data), data
        assert _rebuilt(data).data == data


@pytest.mark.parametrize("seed", range(10))
def test_a_run_is_what_instruction_by_instruction_is_taken(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        data = _stream(rng, rng.randrange(3))
        assert _canonical(_rebuilt(data).data) == _canonical(data), data


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_is_one_run(seed: int) -> None:
    """However much was left out between two instructions, none grew together with the next."""
    rng = random.Random(seed)
    for _ in range(100):
        data = _stream(rng, rng.randrange(1, 4))
        written = _rebuilt(data)
        assert not _rebuilt(written.data).left, (data, written.data)


def test_a_run_takes_no_operator_that_goes_on() -> None:
    for data, end in ((b"q Wx", 2), (b"q W%x", 3), (b"q W(x)", 3), (b"q W", 3), (b"q(x)Tj/F 1 Tfx", 6), (b"q BT/F", 4), (b"\n", 1), (b"", 0)):
        assert operators.run(data, 0) == end, data
    assert operators.run(b"x q", 1) == 3


def test_operators_beside_what_is_left_out_stay_two() -> None:
    assert _rebuilt(b"q/Odd B*").data == b"q\nB*\n"


def test_colours_of_many_components() -> None:
    for count in (1, 4, 8, 31, 32):
        data = b"1 " * count + b"scn"
        assert _rebuilt(data).data.strip() == data
    assert _rebuilt(b"1 " * 33 + b"scn").left
