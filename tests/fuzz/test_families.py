"""Each family that is fuzzed begins with an input that is read to its end."""

from __future__ import annotations

import pytest

from tests.fuzz import families

HELD = {"xdw", "xdw-whole"}     # nothing lets their originals through


@pytest.mark.parametrize("name", families.FAMILIES)
def test_the_built_input_is_read(name: str) -> None:
    family = families.FAMILIES[name]
    seed = next(families.seeds(family, None))
    assert family.read(families.file(family, seed)).partition(":")[0] in ({"unsupported_kind"} if name in HELD else {"delivered", "read"})


@pytest.mark.parametrize("name", families.FAMILIES)
def test_what_no_longer_is_a_file_ends_well(name: str) -> None:
    family = families.FAMILIES[name]
    seed = next(families.seeds(family, None))
    for given in (b"", seed[: len(seed) // 2], seed[::-1], seed.replace(b"\0", b"\xff")):
        assert family.read(families.file(family, given))
