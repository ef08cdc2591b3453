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
    assert (house["kinds.svg"], layer["kinds.svg"]) == ("無害化 / rebuilt", "保留 / hold")
    secure = {row.key: row.otherwise for row in form.form('strength = "security"', ()).rows}
    assert (secure["treatment.pdf_strict_pixels"], secure["treatment.link_schemes"], secure["treatment.picture_codes"]) == ("はい / yes", "", "覆う / covered")


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
        (("limits", "x"), {"strength": "security"}, "no such table"),
        (("departments", "x"), {"strength": "security"}, "no such table"),
        (("lanes", ""), {"strength": "security"}, "no such table"),
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


def test_a_path_that_is_none_has_no_form() -> None:
    for path in (("limits",), ("organisations", ""), ("organisations", "A町", "departments"), ("organisations", "A町", "limits", "x"), ("departments", "x")):
        with pytest.raises(PolicyError, match="no such table"):
            form.form(TEXT, path)


def test_a_text_that_its_editor_cannot_read_is_changed_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_text: str) -> None:
        raise tomlkit.exceptions.ParseError(1, 1)

    monkeypatch.setattr(tomlkit, "parse", refuse)
    with pytest.raises(PolicyError, match="as text"):
        changed(TEXT, (), {"kinds.svg": "block"})


def test_names_are_a_list_however_they_are_parted() -> None:
    made = changed(TEXT, ("groups", "cad"), {"members": " a@x、b@x，c@x\nd ", "senders": "@go.jp"})
    (group,) = [layer for layer in load(made).layers if layer.members]
    assert (group.members, group.senders) == (("a@x", "b@x", "c@x", "d"), ("@go.jp",))


def test_each_row_has_its_words_in_both_languages() -> None:
    rows = {row.key: (row.ja, row.en) for row in form.form(TEXT, ("groups", "cad")).rows}
    for section, table in (("limits", words.LIMITS), ("treatment", words.TREATMENT)):
        assert {name: rows[f"{section}.{name}"] for name in table} == table
    assert rows["members"] == ("宛先（アドレス、ログイン名、@ドメイン）", "for whom: addresses, log-in names, @domain")
    assert rows["senders"] == ("差出人（同）", "from whom")
    assert rows["kinds.svg"] == ("svg", "")
    head = {row.key: (row.ja, row.en) for row in form.form(TEXT, ()).head}
    assert head == {
        "strength": ("強さ", "strength"), "attempts": ("処理を試みる回数", "attempts at one transfer"), "original_days": ("原本を残す日数", "days that originals are kept"),
    }  # fmt: skip
    assert [row.key for row in form.form(TEXT, ("organisations", "A町")).head] == ["strength", "weight"]
    assert [row.key for row in form.form(TEXT, ("lanes", "inbound")).head] == ["strength"]


def test_sizes_are_told_in_mebibytes_where_they_are_whole_ones() -> None:
    rows = {row.key: row.otherwise for row in form.form("[limits]\ninput_bytes = 1500000\nmemory_bytes = '3 MiB'\npixels = 1048576", ("lanes", "inbound")).rows}
    assert (rows["limits.input_bytes"], rows["limits.memory_bytes"], rows["limits.pixels"]) == ("1500000", "3 MiB", "1048576")
    assert rows["limits.expanded_bytes"] == "2048 MiB"


def test_the_kinds_of_which_something_is_said_come_first_and_the_others_by_name() -> None:
    keys = [row.key.partition(".")[2] for row in form.form("[kinds]\nsvg = 'hold'\nemf = 'hold'", ()).kinds]
    assert keys[:2] == ["emf", "svg"]
    assert keys[2:] == sorted(keys[2:])
    assert len(keys) == len(Kind)


def test_lists_and_texts_are_told_as_they_would_be_entered() -> None:
    rows = {row.key: (row.said, row.otherwise, row.control) for row in form.form("[treatment]\nlink_schemes = ['https', 'tel']", ("lanes", "inbound")).rows}
    assert rows["treatment.link_schemes"] == (None, "https, tel", Control.LIST)
    assert rows["treatment.mail_subject_mark"] == (None, "", Control.TEXT)
    house = {row.key: (row.said, row.otherwise) for row in form.form("[treatment]\nlink_schemes = ['https', 'tel']\ncomments_kept = false", ()).rows}
    assert house["treatment.link_schemes"] == ("https, tel", ", ".join(Treatment().link_schemes))
    assert house["treatment.comments_kept"] == ("false", "はい / yes")


def test_answers_become_values_of_their_kind() -> None:
    made = load(changed("", (), {
        "treatment.comments_kept": " false ", "treatment.pdf_strict_pixels": "true", "treatment.mail_subject_mark": " 【外部】 ", "limits.input_bytes": "1000",
        "limits.memory_bytes": "3 MiB", "limits.wall_seconds": "1.5", "attempts": "4",
    }))  # fmt: skip
    assert (made.treatment.comments_kept, made.treatment.pdf_strict_pixels, made.treatment.mail_subject_mark) == (False, True, "【外部】")
    assert (made.limits.input_bytes, made.limits.memory_bytes, made.limits.wall_seconds, made.attempts) == (1_000, 3 << 20, 1.5, 4)
    for key in ("treatment.receipt_no", "treatment.nothing"):
        with pytest.raises(PolicyError, match=f"{key}: no such key"):
            changed("", (), {key: "x"})


def test_a_text_that_its_editor_spoils_is_changed_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tomlkit, "dumps", lambda _document: "= broken")
    with pytest.raises(PolicyError, match="as text"):
        changed(TEXT, (), {"kinds.svg": "block"})


def test_a_group_may_be_one_organisations_and_a_lane_is_nobodys() -> None:
    assert place("groups", "cad", "A町") == ("organisations", "A町", "groups", "cad")
    assert place("lanes", "inbound", "A町") == ("lanes", "inbound")
    assert place("organisations", "A町", "B町") == ("organisations", "A町")


def test_the_strength_is_chosen_by_name_and_the_houses_holds_elsewhere() -> None:
    (row,) = [row for row in form.form(TEXT, ("lanes", "inbound")).head if row.key == "strength"]
    assert (row.said, row.otherwise) == (None, "標準")
    assert row.choices == (("security", "最大セキュリティ / most secure"), ("standard", "標準 / standard"), ("fidelity", "最大整合性 / most faithful"))
    (row,) = [row for row in form.form(TEXT, ()).head if row.key == "strength"]
    assert (row.said, row.otherwise) == ("standard", "")
    (row,) = [row for row in form.form("", ("lanes", "inbound")).head if row.key == "strength"]
    assert row.otherwise == ""


def test_what_a_layers_own_strength_says_holds_in_it() -> None:
    def held(text: str, path: tuple[str, ...]) -> str:
        return {row.key: row.otherwise for row in form.form(text, path).rows}["treatment.pdf_strict_pixels"]

    own = "[lanes.inbound]\nstrength = 'security'"
    assert held(own, ("lanes", "inbound")) == "はい / yes"
    assert held(own, ("lanes", "outbound")) == "いいえ / no"
    assert held(f"strength = 'security'\n[treatment]\npdf_strict_pixels = false\n{own.replace('security', 'standard')}", ("lanes", "outbound")) == "いいえ / no"
    assert held("strength = 'security'", ("lanes", "inbound")) == "はい / yes"


def test_a_size_in_bytes_is_written_as_a_number() -> None:
    made = changed("", (), {"limits.input_bytes": "1048576", "limits.expanded_bytes": "2 MiB"})
    assert tomllib.loads(made) == {"limits": {"input_bytes": 1_048_576, "expanded_bytes": "2 MiB"}}


def test_only_a_group_names_members() -> None:
    """Whatever its organisation is called."""
    called_so = ("organisations", "groups", "departments", "建設課")
    assert [row.key for row in form.form("", called_so).head] == ["strength"]
    assert [row.key for row in form.form("", ("groups", "new")).head] == ["strength", "members", "senders"]
    assert [row.key for row in form.form("", ("organisations", "A町", "groups", "new")).head] == ["strength", "members", "senders"]


def test_a_form_and_its_rows_stay_as_they_are() -> None:
    made = form.form(TEXT, ())
    one: Any
    for one in (made, made.rows[0]):
        with pytest.raises(AttributeError):
            setattr(one, one.__struct_fields__[0], "other")
        with pytest.raises(TypeError):
            type(one)(*(getattr(one, name) for name in one.__struct_fields__))


@pytest.mark.parametrize(
    ("of", "name", "organisation", "path"),
    [
        ("organisations", "A町", "", ("organisations", "A町")), ("groups", "x", "", ("groups", "x")), ("lanes", "outbound", "A町", ("lanes", "outbound")),
        ("doors", "drop", "", ("doors", "drop")), ("groups", "x", "A町", ("organisations", "A町", "groups", "x")),
        ("departments", "建設課", "A町", ("organisations", "A町", "departments", "建設課")),
    ],
)  # fmt: skip
def test_the_place_of_a_table(of: str, name: str, organisation: str, path: tuple[str, ...]) -> None:
    assert form.place(of, name, organisation) == path
    assert form.form("", path).path == path


@pytest.mark.parametrize(("of", "name", "organisation"), [("departments", "建設課", ""), ("doors", "", ""), ("limits", "x", "")])
def test_what_is_no_place(of: str, name: str, organisation: str) -> None:
    with pytest.raises(PolicyError, match="a kind and a name"):
        form.place(of, name, organisation)
