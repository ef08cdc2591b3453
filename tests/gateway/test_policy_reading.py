"""The policy document, read and written: it says what it says, or which key is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.policy import KindAction, Policy, PolicyError, dump, load
from gateway.policy.reading import _toml
from sanitizers.model import Kind, Limits, Treatment


def test_the_empty_document_is_the_builtin_policy() -> None:
    assert load("") == Policy()


def test_a_document_says_what_it_says() -> None:
    policy = load(
        """
        name = "town"
        attempts = 5
        [limits]
        input_bytes = "10 MiB"
        wall_seconds = 30
        [treatment]
        link_schemes = ["https"]
        comments_kept = false
        [kinds]
        svg = "hold"
        "7z" = "block"
        """
    )
    assert (policy.name, policy.attempts) == ("town", 5)
    assert policy.limits == Limits(input_bytes=10 << 20, wall_seconds=30.0)
    assert policy.treatment == Treatment(link_schemes=("https",), comments_kept=False)
    assert policy.kinds == {Kind.SVG: KindAction.HOLD, Kind.SEVENZIP: KindAction.BLOCK}
    assert load(dump(policy)) == policy


def test_a_version_is_what_the_document_says_and_not_how() -> None:
    one, other = load("attempts = 4\n[kinds]\nsvg = 'hold'\nemf = 'hold'"), load("# words\nattempts=4\n[kinds]\nemf='hold'\nsvg='hold'")
    assert one.version == other.version
    assert one.version != Policy().version
    assert len(one.version) == 12


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ("colour = 1", "colour"),
        ("name = 1", "name"),
        ("attempts = 0", "attempts"),
        ("attempts = '3'", "attempts"),
        ("originals = 'always'", "originals"),
        ("original_days = -1", "original_days"),
        ("limits = 3", "limits"),
        ("[limits]\nspeed = 1", "limits.speed"),
        ("[limits]\nparts = 'many'", "limits.parts"),
        ("[limits]\nparts = 0", "limits.parts"),
        ("[limits]\nwall_seconds = inf", "limits.wall_seconds"),
        ("[limits]\nwall_seconds = nan", "limits.wall_seconds"),
        ("[limits]\nexpanded_bytes = 4611686018427387905", "limits.expanded_bytes"),
        ("strength = 'gentle'", "strength"),
        ("strength = ['standard']", "strength"),
        ("[limits]\ninput_bytes = '1 parsec'", "limits.input_bytes"),
        ("[treatment]\nmagic = true", "treatment.magic"),
        ("[treatment]\nreceipt_no = 'x'", "treatment.receipt_no"),
        ("[kinds]\nword = 'hold'", "kinds.word"),
        ("[kinds]\npdf = 'pass'", "kinds.pdf"),
        ("[kinds]\npdf = ['hold']", "kinds.pdf"),
        ("[kinds.pdf]\nhold = true", "kinds.pdf"),
        ("= broken", "policy"),
    ],
)
def test_a_bad_document_is_one_line_that_names_the_key(document: str, key: str) -> None:
    with pytest.raises(PolicyError) as error:
        load(document)
    assert str(error.value).startswith(f"{key}:")
    assert "\n" not in str(error.value)


def test_what_is_wrong_with_a_size_is_said() -> None:
    with pytest.raises(PolicyError, match=r"^limits\.input_bytes: must be a size such as 20 MiB$"):
        load("[limits]\ninput_bytes = '1 parsec'")
    assert load("[limits]\ncells = 4611686018427387904").limits.cells == 1 << 62


def test_a_name_of_any_characters_is_written_so_that_it_is_read() -> None:
    named = msgspec.structs.replace(Policy(), name="".join(map(chr, range(0x3100))))
    assert load(dump(named)) == named


def test_a_document_is_written_table_by_table() -> None:
    document = """
    attempts = 4
    original_days = 30
    strength = "security"
    [kinds]
    svg = "hold"
    [groups.a]
    members = ["sato"]
    [groups.a.kinds]
    svg = "block"
    """
    written = dump(load(document))
    assert load(written) == load(document)
    assert written.startswith('name = "builtin"\nattempts = 4\noriginal_days = 30\nstrength = "security"\n\n[limits]\ninput_bytes = 536870912\n')
    assert "\ncells = 16000000\n\n[treatment]\nlink_schemes = [" in written
    assert written.endswith('\n\n[kinds]\nsvg = "hold"\n\n[groups.a]\nmembers = ["sato"]\n\n[groups.a.kinds]\nsvg = "block"\n')


@pytest.mark.parametrize(
    ("house", "layers", "longest"), [("0.5", (), 0.5), ("0.5", ("0.25",), 0.5), ("0.5", ("", "0.75", "0.6"), 0.75), ("30", ("90", ""), 90.0)]
)
def test_the_longest_work_on_any_transfer_is_what_any_layer_allows(house: str, layers: tuple[str, ...], longest: float) -> None:
    said = [f"[organisations.o{number}.limits]\n" + (f"wall_seconds = {one}\n" if one else "parts = 9\n") for number, one in enumerate(layers)]
    found = load(f"[limits]\nwall_seconds = {house}\n" + "".join(said)).longest_seconds
    assert (found, type(found)) == (longest, float)


_leaves = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just(date(2026, 4, 1)),
    st.sampled_from(["hold", "sanitize", "security", "20 MiB", "utf-8", "https", "pdf"]), st.lists(st.text(max_size=2), max_size=2),
)  # fmt: skip
_fields = {"limits": Limits.__struct_fields__, "treatment": Treatment.__struct_fields__, "kinds": tuple(Kind)}
_house = {
    "name": _leaves, "attempts": _leaves, "original_days": _leaves, "strength": _leaves | st.lists(_leaves, max_size=1),
    **{name: _leaves | st.dictionaries(st.sampled_from(fields) | st.text(max_size=3), _leaves | st.lists(_leaves, max_size=1), max_size=2)
       for name, fields in _fields.items()},
}  # fmt: skip
_own = {name: _house[name] for name in ("strength", *_fields)} | {"members": _leaves, "senders": _leaves, "weight": _leaves}
_layers = st.dictionaries(st.sampled_from(["a", "inbound", "drop", ""]), _leaves | st.fixed_dictionaries({}, optional=_own), max_size=2)
_documents = st.fixed_dictionaries({}, optional=_house | dict.fromkeys(("organisations", "groups", "lanes", "doors"), _leaves | _layers))


@example({"name": '\x7f"\\\n\u2028', "kinds": {"pdf": ["hold"]}})
@settings(deadline=None, max_examples=300)
@given(_documents)
def test_any_document_is_read_or_refused_in_a_line(document: dict[str, Any]) -> None:
    """And what is read can be written, read again, and sent to the jail."""
    try:
        policy = load(_written(document))
    except PolicyError as error:
        assert "\n" not in str(error)
        assert ": " in str(error)
        return
    assert load(dump(policy)) == policy
    assert msgspec.json.encode((policy.limits, policy.treatment))


def _written(table: dict[str, Any], path: str = "") -> str:
    plain = [f"{_toml(key)} = {_as_toml(value)}" for key, value in table.items() if not isinstance(value, dict)]
    inner = [_written(value, f"{path}{'.' if path else ''}{_toml(key)}") for key, value in table.items() if isinstance(value, dict)]
    return "\n".join([f"[{path}]" if path else "", *plain, *inner])


def _as_toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return str(value) if isinstance(value, date) else _toml(value)
