"""Colour spaces and layers by themselves: every family as ISO 32000-2 has it, and nothing for what is none."""

from __future__ import annotations

import pytest

from sanitizers.formats.pdf import colours, layers, resources
from sanitizers.formats.pdf.copier import Copier
from sanitizers.formats.pdf.reader import Reader
from sanitizers.formats.pdf.shapes import LEFT, OMIT
from sanitizers.formats.pdf.values import Name, Ref, Value
from sanitizers.formats.pdf.writer import Writer
from sanitizers.model import Kind
from sanitizers.source import Source
from tests.build import pdf as build
from tests.build.context import context

GREY, RGB, CMYK = Name("DeviceGray"), Name("DeviceRGB"), Name("DeviceCMYK")
TINT: Value = {"FunctionType": 2, "Domain": [0, 1], "N": 1, "C0": [0], "C1": [1]}
WHITE = [0.9505, 1, 1.089]


@pytest.fixture
def copier() -> Copier:
    document = build.clean()
    reader = Reader(document, None, Source(build.saved(document)))
    return Copier(reader, Writer(), context("a.pdf", Kind.PDF), resources.CATEGORIES)


def _copied(copier: Copier, value: Value) -> Value:
    return colours.colour_space(copier, value, "page 1")


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (GREY, GREY), (Name("G"), GREY), (Name("CMYK"), CMYK), (Name("Pattern"), Name("Pattern")), (Name("CalRGB"), RGB), (Name("CalGray"), GREY), (Name("CalCMYK"), CMYK),
        ([Name("RGB")], RGB), ([Name("CalGray"), {"WhitePoint": WHITE, "Gamma": 2.2, "X": 1}], [Name("CalGray"), {"WhitePoint": WHITE, "Gamma": 2.2}]),
        ([Name("CalRGB"), {"WhitePoint": WHITE, "Matrix": [1] * 9}], [Name("CalRGB"), {"WhitePoint": WHITE, "Matrix": [1] * 9}]),
        ([Name("Lab"), {"WhitePoint": WHITE, "Range": [-100, 100, -100, 100]}], [Name("Lab"), {"WhitePoint": WHITE, "Range": [-100, 100, -100, 100]}]),
        ([Name("I"), Name("RGB"), 1, b"\0\0\0\xff\xff\xffmore"], [Name("Indexed"), RGB, 1, b"\0\0\0\xff\xff\xff"]), ([Name("Pattern"), CMYK], [Name("Pattern"), CMYK]),
        ([Name("Pattern")], Name("Pattern")),
    ],
)  # fmt: skip
def test_a_colour_space_stays_what_it_is(copier: Copier, value: Value, made: Value) -> None:
    assert _copied(copier, value) == made


@pytest.mark.parametrize(
    "value",
    [
        None, 5, [], [5], [Name("Other")], Name("Other"), [Name("Other"), 1], [Name("ICCBased"), {"N": 3}], [Name("ICCBased"), 5], [Name("Indexed"), RGB, 1],
        [Name("Indexed"), RGB, 256, b"x"], [Name("Indexed"), RGB, -1, b"x"], [Name("Indexed"), RGB, 1.5, b"x"], [Name("Indexed"), RGB, 1, 5], [Name("Indexed"), Name("Other"), 1, b"x"],
        [Name("Separation"), Name("Gold"), RGB], [Name("Separation"), b"Gold", RGB, TINT], [Name("Separation"), Name("Gold"), Name("Other"), TINT],
        [Name("Separation"), Name("Gold"), GREY, 5], [Name("DeviceN"), [Name("A")], RGB], [Name("DeviceN"), [], GREY, TINT], [Name("DeviceN"), [b"A"], GREY, TINT],
        [Name("Pattern"), Name("Other")],
    ],
)  # fmt: skip
def test_what_is_no_colour_space_is_left_behind(copier: Copier, value: Value) -> None:
    assert _copied(copier, value) is OMIT


def test_inks_keep_their_names_and_how_they_are_mixed(copier: Copier) -> None:
    made = _copied(copier, [Name("Separation"), Name("Gold"), GREY, TINT])
    assert isinstance(made, list)
    assert made[:3] == [Name("Separation"), Name("Gold"), GREY]
    several = _copied(copier, [Name("DeviceN"), [Name("Cyan"), Name("Gold")], GREY, TINT, {"Subtype": Name("NChannel"), "Colorants": {"Gold": 1}}])
    assert isinstance(several, list)
    assert several[:3] == [Name("DeviceN"), [Name("Cyan"), Name("Gold")], GREY]
    assert several[4:] == [{"Subtype": Name("DeviceN")}]


def test_a_long_palette_is_a_stream_of_its_own(copier: Copier) -> None:
    made = _copied(copier, [Name("Indexed"), RGB, 255, bytes(range(256)) * 3])
    assert isinstance(made, list)
    assert isinstance(made[3], Ref)


def test_spaces_on_spaces_end(copier: Copier) -> None:
    value: Value = RGB
    for depth in range(12):
        value = [Name("Pattern"), value]
        assert (_copied(copier, value) is OMIT) == (depth > 8)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (GREY, 1), (Name("RGB"), 3), (CMYK, 4), (Name("CalRGB"), 3), (Name("CalGray"), 1), (Name("Other"), 0), ([], 0), (5, 0), ([Name("Lab"), {}], 3), ([Name("I"), RGB, 1, b""], 1),
        ([Name("DeviceN"), [Name("A"), Name("B")], RGB, TINT], 2), ([Name("Separation"), Name("A"), RGB, TINT], 1), ([Name("ICCBased"), {"N": 4}], 4), ([Name("ICCBased"), {"N": 2}], 0),
        ([5], 0), ([Name("Pattern")], 0),
    ],
)  # fmt: skip
def test_how_many_components_a_colour_has(copier: Copier, value: Value, count: int) -> None:
    assert colours.component_count(copier, value) == count


def test_a_name_of_the_resources_is_looked_up(copier: Copier) -> None:
    around: dict[str, Value] = {"ColorSpace": {"CS0": [Name("Lab"), {}], "CS1": Name("CS0")}}
    assert colours.component_count(copier, Name("CS0"), around) == 3
    assert colours.component_count(copier, Name("CS9"), around) == 0
    assert colours.component_count(copier, Name("CS1"), around) == 0, "no chain of names"
    assert colours.is_indexed(copier, [Name("I"), RGB, 1, b""])
    assert not colours.is_indexed(copier, Name("Indexed"))


# -------------------------------------------------------------------------------------------------------------------- layers


def _group(copier: Copier, **fields: Value) -> Ref:
    """A group in the input."""
    ref = Ref(1000 + len(copier.reader._objects), 0)
    copier.reader._objects[ref] = {"Type": Name("OCG"), **fields}
    return ref


def test_groups_and_their_expressions(copier: Copier) -> None:
    one, two = _group(copier, Name=b"one"), _group(copier, Name=b"two")
    first = layers.group(copier, one, "page 1")
    assert isinstance(first, Ref)
    assert layers.group(copier, one, "page 1") == first, "the same stays the same"
    assert layers._expression(copier, [Name("Not"), [Name("Or"), one, two]], "x") == [Name("Not"), [Name("Or"), first, copier.groups[two]]]
    for bad in ([Name("Xor"), one], [], 5, [Name("And"), 5], [Name("And"), {"Type": Name("OCG")}]):
        assert layers._expression(copier, bad, "x") is OMIT
    deep: Value = one
    for _ in range(40):
        deep = [Name("Not"), deep]
    assert layers._expression(copier, deep, "x") is OMIT


def test_what_is_no_group_is_left_behind(copier: Copier) -> None:
    other = _group(copier, Type=Name("Other"))
    for value in ({"Type": Name("OCG")}, other, None, 5):
        assert layers.group(copier, value, "page 1") is OMIT
    assert layers.membership(copier, 5, "page 1") is OMIT
    assert layers.properties(copier, 5, "document") is OMIT
    assert layers.properties(copier, {"OCGs": 5}, "document") is LEFT


def test_a_membership_stands_by_itself_or_is_shared(copier: Copier) -> None:
    one = _group(copier, Name=b"one")
    fields: dict[str, Value] = {"Type": Name("OCMD"), "OCGs": [one], "P": Name("AllOff")}
    shared = _group(copier, **fields)
    assert isinstance(layers.membership(copier, dict(fields), "page 1"), Ref)
    assert layers.membership(copier, shared, "page 1") == layers.membership(copier, shared, "page 1")


def test_layers_that_are_off_are_counted(copier: Copier) -> None:
    one, two = _group(copier, Name=b"one"), _group(copier, Name=b"two")
    for ref in (one, two):
        layers.group(copier, ref, "page 1")
    made = layers.properties(copier, {"OCGs": [one, two], "D": {"BaseState": Name("OFF"), "ON": [one], "Order": [b"label", [one, two]]}}, "document")
    assert isinstance(made, dict)
    assert made["OCGs"] == [copier.groups[one], copier.groups[two]]
    configuration = made["D"]
    assert isinstance(configuration, dict)
    assert configuration["Order"] == [b"label", [copier.groups[one], copier.groups[two]]]
    assert [(found.code, found.detail) for found in copier.context.findings] == [("pdf.hidden_layer", "1")]
    deep: Value = [one]
    for _ in range(40):
        deep = [deep]
    assert str(layers._order(copier, deep, "x")).count("[") <= 34
