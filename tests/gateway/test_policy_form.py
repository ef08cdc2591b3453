"""The policy as a form: every value has a row, answers change what they name and nothing else, and the text around them stays."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy import FACTS, KindAction, Policy, PolicyError, dump, form, load, words
from gateway.policy.form import Control, changed, place, tables, without
from gateway.policy.layers import feasible
from sanitizers.model import Kind, Limits, Treatment

TEXT = """\
# 関町の方針
name = "seki"
strength = "標準"        # 2026年度

[limits]
input_bytes = "64 MiB"  # 回線が細い

[treatment]
mail_subject_mark = "【外部】"

[kinds]
svg = "hold"

[organisations."A町"]
weight = 2
[organisations."A町".departments."建設課".kinds]
dxf = "confirm"  # 図面

[groups.cad]
members = ["cad@town.example.jp", "yamada"]
[groups.cad.treatment]
comments_kept = false
"""


def said(text: str, path: tuple[str, ...] = ()) -> dict[str, str | None]:
    return {row.key: row.said for row in form.form(text, path).rows if row.said is not None}


def test_every_value_of_a_policy_has_its_words_and_its_row() -> None:
    assert set(words.LIMITS) == set(Limits.__struct_fields__)
    assert set(words.TREATMENT) == set(Treatment.__struct_fields__) - FACTS
    assert set(words.ACTIONS) == set(KindAction)
    keys = {row.key for row in form.form("", ()).rows}
    assert keys >= {f"limits.{name}" for name in words.LIMITS} | {f"treatment.{name}" for name in words.TREATMENT}
    assert keys >= {f"kinds.{kind}" for kind in Kind}


def test_what_the_document_says_stands_in_the_form() -> None:
    assert said(TEXT) == {"strength": "standard", "limits.input_bytes": "64 MiB", "treatment.mail_subject_mark": "【外部】", "kinds.svg": "hold"}
    assert said(TEXT, ("organisations", "A町")) == {"weight": "2"}
    assert said(TEXT, ("organisations", "A町", "departments", "建設課")) == {"kinds.dxf": "confirm"}
    assert said(TEXT, ("groups", "cad")) == {"members": "cad@town.example.jp, yamada", "treatment.comments_kept": "false"}
    assert said(TEXT, ("lanes", "inbound")) == {}
    assert not form.form(TEXT, ("lanes", "inbound")).stands
    assert list(tables(load(TEXT))) == [
        (), ("organisations", "A町"), ("organisations", "A町", "departments", "建設課"), ("groups", "cad"),
    ]  # fmt: skip


def test_what_holds_where_nothing_is_said() -> None:
    house = {row.key: row.otherwise for row in form.form(TEXT, ()).rows}
    layer = {row.key: row.otherwise for row in form.form(TEXT, ("groups", "cad")).rows}
    assert (house["limits.input_bytes"], layer["limits.input_bytes"]) == ("512 MiB", "64 MiB")
    assert (house["treatment.mail_subject_mark"], layer["treatment.mail_subject_mark"]) == ("", "【外部】")
    assert (house["kinds.svg"], layer["kinds.svg"]) == ("無害化", "保留")
    secure = {row.key: row.otherwise for row in form.form('strength = "security"', ()).rows}
    assert (secure["treatment.pdf_strict_pixels"], secure["treatment.link_schemes"], secure["treatment.picture_codes"]) == ("はい", "", "覆う")


def test_choices_are_those_that_the_reader_takes() -> None:
    for row in form.form("", ()).kinds:
        kind = Kind(row.key.partition(".")[2])
        assert [answer for answer, _ in row.choices] == [action.value for action in words.ACTIONS if feasible(action, kind)]
        for answer, _ in row.choices:
            assert load(changed("", (), {row.key: answer})).kinds == {kind: KindAction(answer)}


def test_a_change_keeps_comments_order_and_everything_else() -> None:
    made = changed(TEXT, (), {"limits.input_bytes": "32 MiB", "kinds.svg": "pixels", "treatment.mail_subject_mark": "【外部】"})
    assert made == TEXT.replace('"64 MiB"', '"32 MiB"').replace('svg = "hold"', 'svg = "pixels"')


def test_what_is_no_longer_said_goes_with_its_empty_tables() -> None:
    path = ("organisations", "A町", "departments", "建設課")
    made = changed(TEXT, path, {"kinds.dxf": None})
    assert load(made).layers == tuple(layer for layer in load(TEXT).layers if layer.path != path)
    assert said(changed(TEXT, (), {"strength": None})) == {key: value for key, value in said(TEXT).items() if key != "strength"}


def test_a_new_table() -> None:
    made = changed(TEXT, ("lanes", "outbound"), {"strength": "security", "treatment.link_schemes": "", "limits.pages": "500"})
    (layer,) = [layer for layer in load(made).layers if layer.lane]
    assert (layer.path, layer.strength, layer.treatment, layer.limits) == (("lanes", "outbound"), "security", {"link_schemes": ()}, {"pages": 500})
    assert made.startswith(TEXT.rstrip("\n"))


def test_a_table_is_taken_away_whole() -> None:
    made = without(TEXT, ("groups", "cad"))
    assert [layer.path for layer in load(made).layers] == [("organisations", "A町"), ("organisations", "A町", "departments", "建設課")]
    with pytest.raises(PolicyError, match="no such table"):
        without(TEXT, ("groups", "nobody"))
    with pytest.raises(PolicyError, match="no such table"):
        without(TEXT, ())


@pytest.mark.parametrize(
    ("path", "answers", "match"),
    [
        ((), {"limits.pages": "many"}, "limits.pages"),
        ((), {"limits.pages": "0"}, "above 0"),
        ((), {"limits.input_bytes": "big"}, "input_bytes"),
        ((), {"treatment.receipt_no": "1"}, "no such key"),
        ((), {"treatment.comments_kept": "perhaps"}, "comments_kept"),
        ((), {"kinds.svg": "confirm"}, "not to be had"),
        ((), {"kinds.nothing": "hold"}, "no such kind"),
        ((), {"strength": "gentle"}, "strength"),
        (("groups", "new"), {"strength": "security"}, "neither members nor senders"),
        (("doors", "window"), {"strength": "security"}, "must be one of"),
        (("limits",), {"strength": "security"}, "no such table"),
        (("organisations", "A町", "limits", "x"), {"strength": "security"}, "no such table"),
    ],
)
def test_an_answer_that_is_none_is_refused_by_its_key(path: tuple[str, ...], answers: dict[str, str | None], match: str) -> None:
    with pytest.raises(PolicyError, match=match):
        changed(TEXT, path, answers)


def test_a_text_that_would_say_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tomlkit, "dumps", lambda _document: TEXT)
    with pytest.raises(PolicyError, match="as text"):
        changed(TEXT, (), {"kinds.svg": "block"})


def test_where_a_table_stands() -> None:
    assert place("lanes", "inbound") == ("lanes", "inbound")
    assert place("departments", "建設課", "A町") == ("organisations", "A町", "departments", "建設課")
    assert place("groups", "cad") == ("groups", "cad")
    for of, name, organisation in (("departments", "建設課", ""), ("lanes", "", ""), ("limits", "x", "")):
        with pytest.raises(PolicyError):
            place(of, name, organisation)


ROWS = [row for row in form.form("", ()).rows if row.control is Control.CHOICE]
ANSWERS = st.dictionaries(
    st.sampled_from(ROWS), st.integers(0, 9), max_size=12,
).map(lambda drawn: {row.key: None if number == 9 else row.choices[number % len(row.choices)][0] for row, number in drawn.items()})  # fmt: skip


@given(ANSWERS, ANSWERS, st.sampled_from([(), ("groups", "cad"), ("organisations", "A町"), ("doors", "drop")]))
def test_any_answers_say_what_they_say_and_leave_the_rest(first: dict[str, Any], second: dict[str, Any], path: tuple[str, ...]) -> None:
    made = changed(changed(TEXT, path, first), path, second)
    wanted = {**said(TEXT, path), **first, **second}
    assert said(made, path) == {key: value for key, value in wanted.items() if value is not None}
    for other in tables(load(TEXT)):
        if other != path:
            assert said(made, other) == said(TEXT, other)
    assert tomllib.loads(dump(load(made)))


def test_the_document_of_the_whole_house_as_it_is_written_out_can_be_changed() -> None:
    made = changed(dump(Policy()), (), {"treatment.comments_kept": "false"})
    assert made == dump(Policy()).replace("comments_kept = true", "comments_kept = false")
