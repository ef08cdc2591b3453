"""Policy in layers: what holds for one transfer, value by value, and what a document may not say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.model import Door
from gateway.policy import (
    CONFIRMABLE,
    Facts,
    KindAction,
    Layer,
    Policy,
    PolicyError,
    Strength,
    dump,
    effective,
    facts,
    load,
)
from gateway.policy import layers as layers_module
from gateway.policy.layers import judged_fields, strictest
from gateway.policy.reading import FACTS
from gateway.policy.strengths import VALUES
from sanitizers.confirm import CHECKS
from sanitizers.model import Kind, Limits, Treatment
from tests.build.transfer import at, digest, transfer

DOCUMENT = """
name = "県"
[treatment]
comments_kept = false
[kinds]
svg = "hold"
pdf = "pixels"

[organisations."A町"]
weight = 2
strength = "最大整合性"
[organisations."A町".kinds]
svg = "sanitize"
[organisations."A町".departments."建設部".kinds]
dxf = "confirm"
pdf = "sanitize"
[organisations."A町".departments."土木課".treatment]
comments_kept = false
[groups.legal]
members = ["Houmu@a.example.jp", "@law.example.jp", "sato"]
[groups.legal.treatment]
pdf_links_removed = true
[groups.ministry]
senders = ["@go.example"]
[groups.ministry.kinds]
zip = "hold"
[lanes.outbound.limits]
input_bytes = "1 MiB"
[doors.drop.treatment]
link_schemes = []
"""


@pytest.fixture
def policy() -> Policy:
    return load(DOCUMENT)


def test_a_document_without_layers_means_what_it_meant() -> None:
    document = "attempts = 4\n[treatment]\ncomments_kept = false\n[kinds]\nsvg = 'hold'"
    plain, laid = load(document), effective(load(document), at())
    assert (laid.limits, laid.treatment, laid.kinds, laid.attempts) == (plain.limits, plain.treatment, plain.kinds, 4)
    assert laid.version == plain.version
    assert laid.applied == ()


def test_a_version_of_a_document_without_layers_is_the_one_it_had() -> None:
    """The digest leaves out what documents did not have once."""
    encoded = msgspec.json.encode(
        {"name": "builtin", "limits": Limits(), "treatment": Treatment(), "kinds": {}, "attempts": 3, "original_days": 90}
    )
    assert Policy().version == digest(encoded)[:12]


def test_organisation_department_group_lane_and_door_in_this_order(policy: Policy) -> None:
    town = effective(policy, at(organisation="A町"))
    assert town.action(Kind.SVG) is KindAction.SANITIZE
    assert (town.treatment.comments_kept, town.treatment.pdf_attachments) == (True, True), "the strength of the town, over the house's word"
    assert town.treatment.pdf_strict_pixels, "what a kind asks for comes last of all"
    inside = {"kakari@a.example.jp": ("建設部", "土木課")}
    works = effective(policy, at(organisation="A町", departments=inside))
    assert (works.treatment.confirmed_kinds, works.treatment.pdf_strict_pixels) == ((Kind.DXF,), False)
    assert not works.treatment.comments_kept, "the inner department is laid on after the outer one"
    assert works.applied == ("organisations.A町", "organisations.A町.departments.建設部", "organisations.A町.departments.土木課")
    drop = effective(policy, at(organisation="A町", door=Door.DROP, lane="outbound", people=("sato",)))
    assert (drop.treatment.link_schemes, drop.treatment.pdf_links_removed, drop.limits.input_bytes) == ((), True, 1 << 20)
    assert drop.applied[1:] == ("groups.legal", "lanes.outbound", "doors.drop")
    assert effective(policy, at()).applied == ()


def test_a_department_of_another_organisation_of_the_same_name_is_another(policy: Policy) -> None:
    other = effective(policy, at(organisation="B市", departments={"kakari@a.example.jp": ("建設部",)}))
    assert other.applied == ()


@pytest.mark.parametrize("who", ["houmu@A.example.jp", "anyone@law.example.jp", "SATO"])
def test_members_are_addresses_domains_and_names_in_any_case(policy: Policy, who: str) -> None:
    assert effective(policy, at(people=(who,))).treatment.pdf_links_removed
    assert not effective(policy, at(people=(f"{who}.org",))).treatment.pdf_links_removed


def test_senders_are_those_of_the_envelope(policy: Policy) -> None:
    assert effective(policy, at(sender="kikaku@go.example")).action(Kind.ZIP) is KindAction.HOLD
    assert effective(policy, at(sender="kikaku@go.example.org")).action(Kind.ZIP) is KindAction.SANITIZE


def test_a_mail_to_several_gets_the_strictest_of_what_each_would_get(policy: Policy) -> None:
    inside = {"a@x": ("建設部",)}
    alone = effective(policy, at(organisation="A町", departments=inside, people=("a@x",)))
    assert alone.treatment.confirmed_kinds == (Kind.DXF,)
    both = effective(policy, at(organisation="A町", departments=inside, people=("a@x", "sato")))
    assert both.treatment.confirmed_kinds == ()
    assert both.treatment.pdf_strict_pixels, "the other one gets pictures"
    assert both.treatment.pdf_links_removed
    turned = effective(policy, at(organisation="A町", departments=inside, people=("sato", "a@x")))
    assert (turned.limits, turned.kinds, set(turned.applied)) == (both.limits, both.kinds, set(both.applied))


def test_strictest_of_kinds_and_limits() -> None:
    policy = load(
        """
        [groups.a]
        members = ["a"]
        kinds = {svg = "block", dxf = "confirm"}
        limits = {parts = 10}
        [groups.b]
        members = ["b"]
        kinds = {svg = "text"}
        limits = {depth = 2}
        """.replace('"text"', '"pixels"')
    )
    both = effective(policy, at(people=("a", "b")))
    assert (both.action(Kind.SVG), both.action(Kind.DXF)) == (KindAction.BLOCK, KindAction.SANITIZE)
    assert (both.limits.parts, both.limits.depth) == (10, 2)
    assert both.treatment.confirmed_kinds == ()


def test_every_field_of_the_treatment_has_a_stricter_side_or_is_a_matter_of_form() -> None:
    assert judged_fields() | FACTS == set(Treatment.__struct_fields__)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((), (), ()),
        (("a.jp",), (), ("a.jp",)),
        ((), ("a.jp",), ("a.jp",)),
        (("a.jp", "b.jp"), ("b.jp", "c.jp"), ("b.jp",)),
        (("a.jp",), ("b.jp",), ("invalid",)),       # and not (), which would be any
    ],
)
def test_of_two_lists_of_authors_domains_what_both_allow_is_left(one: tuple[str, ...], other: tuple[str, ...], both: tuple[str, ...]) -> None:
    first, second = (Policy(treatment=Treatment(mail_author_domains=domains)) for domains in (one, other))
    assert strictest(first, second).treatment.mail_author_domains == both
    assert strictest(second, first).treatment.mail_author_domains == both


def test_a_mail_for_several_is_held_as_forwarded_if_it_were_for_one() -> None:
    document = load("[groups.a]\nmembers = ['a@x.jp']\ntreatment = {mail_forwards_held = true}")
    assert effective(document, at(people=("a@x.jp", "b@x.jp"))).treatment.mail_forwards_held
    assert not effective(document, at(people=("b@x.jp",))).treatment.mail_forwards_held


def test_it_is_found_again_and_not_without_bound(policy: Policy) -> None:
    assert effective(policy, at(organisation="A町")) is effective(policy, at(organisation="A町", sender="other@x"))
    many = load("\n".join(f"[groups.g{number}]\nmembers = ['{number}']\n" for number in range(60)))
    for one in range(60):
        for other in range(60):
            effective(many, at(people=(str(one), str(other))))
    assert len(many.resolved) <= 1_000


def test_what_was_resolved_is_not_resolved_again(policy: Policy) -> None:
    with pytest.raises(ValueError, match="already"):
        effective(effective(policy, at()), at())


def test_the_version_covers_the_whole_document(policy: Policy) -> None:
    assert effective(policy, at()).version == effective(policy, at(organisation="A町")).version == policy.version
    assert load(DOCUMENT.replace("weight = 2", "weight = 3")).version != policy.version
    assert load(DOCUMENT.replace('svg = "sanitize"', 'svg = "block"')).version != policy.version


def test_the_order_of_tables_says_something_of_groups_only() -> None:
    one, other = "[organisations.a.kinds]\nsvg = 'hold'\n", "[organisations.b.kinds]\nsvg = 'block'\n"
    assert load(one + other).version == load(other + one).version
    first, second = (f"[groups.{name}]\nmembers = ['x']\nkinds = {{svg = '{action}'}}\n" for name, action in (("b", "hold"), ("a", "block")))
    for text, action in ((first + second, KindAction.BLOCK), (second + first, KindAction.HOLD)):
        assert effective(load(text), at(people=("x",))).action(Kind.SVG) is action
        assert load(dump(load(text))) == load(text)


def test_a_document_is_written_out_and_says_the_same(policy: Policy) -> None:
    again = load(dump(policy))
    assert again == policy
    assert again.version == policy.version
    assert policy.weights == {"A町": 2.0}
    quoted = load('[organisations."a.b \\"c\\""]\nweight = 0.5\n[organisations."a.b \\"c\\"".kinds]\n"7z" = "hold"')
    assert load(dump(quoted)) == quoted


def test_facts_of_a_transfer() -> None:
    mail = facts(transfer(organisation="A町"))
    assert (mail.organisation, mail.people, mail.sender, mail.door) == ("A町", ("kakari@town.example.jp",), "sender@example.com", "smtp")
    assert facts(transfer(door=Door.DROP, recipients=(), sender="sato")).people == ("sato",)


def test_a_group_of_one_organisation_is_for_its_people_only() -> None:
    policy = load("[organisations.a.groups.g]\nmembers = ['x']\nkinds = {svg = 'hold'}")
    (layer,) = policy.layers
    assert (layer.path, layer.organisation) == (("organisations", "a", "groups", "g"), "a")
    assert effective(policy, at(organisation="a", people=("x",))).action(Kind.SVG) is KindAction.HOLD
    assert effective(policy, at(organisation="b", people=("x",))).action(Kind.SVG) is KindAction.SANITIZE


def test_where_somebody_belongs_matters_where_a_department_has_its_own_word(policy: Policy) -> None:
    assert policy.asks_departments
    assert not load("[organisations.a.kinds]\nsvg = 'hold'").asks_departments


def test_the_longest_work_counts_for_leases() -> None:
    assert load("[organisations.a.limits]\nwall_seconds = 600").longest_seconds == 600
    assert Policy().longest_seconds == Limits().wall_seconds


_said = st.fixed_dictionaries(
    {},
    optional={
        "strength": st.sampled_from(Strength),
        "kinds": st.dictionaries(st.sampled_from([Kind.PDF, Kind.SVG]), st.sampled_from([KindAction.SANITIZE, KindAction.PIXELS, KindAction.HOLD])),
        "treatment": st.fixed_dictionaries(
            {},
            optional={
                "link_schemes": st.lists(st.sampled_from(["http", "https", "tel"]), unique=True).map(tuple),
                "comments_kept": st.booleans(),
                "picture_codes": st.sampled_from(["ignored", "reported", "covered"]),
                "forbidden_extensions": st.lists(st.sampled_from(["exe", "js"]), unique=True).map(tuple),
            },
        ),
        "limits": st.fixed_dictionaries({}, optional={"parts": st.integers(1, 9), "depth": st.integers(1, 9)}),
    },
)


@example([{"kinds": {Kind.PDF: KindAction.HOLD}}, {"kinds": {Kind.PDF: KindAction.PIXELS}}], {})
@settings(deadline=None)
@given(st.lists(_said, min_size=2, max_size=3), _said)
def test_the_strictest_is_stricter_than_each_and_every_document_survives_writing(people: list[dict[str, Any]], house: dict[str, Any]) -> None:
    named = [Layer(path=("groups", f"g{number}"), members=(str(number),), **said) for number, said in enumerate(people)]
    policy = msgspec.structs.replace(load(""), layers=(Layer(path=("lanes", "inbound"), lane="inbound", **house), *named))
    again = load(dump(policy))
    assert msgspec.structs.replace(again, layers=()) == msgspec.structs.replace(policy, layers=())
    assert set(map(_plain, again.layers)) == set(map(_plain, policy.layers))
    who = tuple(str(number) for number in range(len(people)))
    both = effective(policy, at(people=who))
    for one in (effective(policy, at(people=(each,))) for each in who):
        merged = strictest(both, one)
        assert (merged.limits, merged.treatment) == (both.limits, both.treatment)
        assert all(merged.action(kind) is both.action(kind) for kind in Kind)
    assert strictest(both, both) == both


def _plain(layer: Layer) -> bytes:
    return msgspec.json.encode(layer, order="deterministic")


# ------------------------------------------------------------------------------------------------------------- strengths


@pytest.mark.parametrize(("written", "strength"), [("最大セキュリティ", "security"), ("標準", "standard"), ("最大整合性", "fidelity")])
def test_the_strengths_by_both_names(written: str, strength: str) -> None:
    for name in (written, strength):
        policy = load(f'strength = "{name}"')
        assert policy.strength is Strength(strength)
        assert all(getattr(policy.treatment, field) == value for field, value in VALUES[Strength(strength)].items())
        assert load(dump(policy)) == policy


def test_standard_is_the_builtin_treatment_and_what_is_said_besides_wins() -> None:
    assert load('strength = "標準"').treatment == Treatment()
    assert load('strength = "security"\n[treatment]\ncomments_kept = true').treatment.comments_kept
    assert load('[organisations.a]\nstrength = "security"\n[organisations.a.treatment]\nlink_schemes = ["https"]').layers[0].strength


def test_no_strength_lets_an_original_through() -> None:
    for strength in Strength:
        assert not VALUES[strength].get("confirmed_kinds")
        assert "forbidden_extensions" not in VALUES[strength]


# ----------------------------------------------------------------------------------------------------- kinds and their ways


@pytest.mark.parametrize(
    ("kind", "action", "field"),
    [
        ("pdf", "pixels", "pdf_strict_pixels"), ("svg", "pixels", "svg_as_pixels"), ("html", "text", "pages_as_text"), ("mht", "text", "pages_as_text"),
        ("emf", "pixels", "metafiles_as_pixels"), ("wmf", "pixels", "metafiles_as_pixels"), ("doc", "text", "unrebuilt_as_text"),
        ("jtd", "text", "unrebuilt_as_text"),
    ],
)
def test_a_kind_asks_for_its_treatment(kind: str, action: str, field: str) -> None:
    assert getattr(effective(load(f"[kinds]\n{kind} = '{action}'"), at()).treatment, field)


def test_mails_as_text_only_lose_their_attachments() -> None:
    assert not effective(load("[kinds]\neml = 'text'"), at()).treatment.mail_attachments


def test_what_can_be_confirmed_is_what_the_jail_can_check() -> None:
    assert frozenset(CHECKS) == CONFIRMABLE


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ("[kinds]\ndocx = 'pixels'", "kinds.docx"),
        ("[kinds]\npdf = 'text'", "kinds.pdf"),
        ("[kinds]\npe = 'confirm'", "kinds.pe"),
        ("[kinds]\nunknown = 'confirm'", "kinds.unknown"),
        ("strength = 'weak'", "strength"),
        ("strength = 3", "strength"),
        ("organisations = 3", "organisations"),
        ("[organisations]\na = 3", "organisations.a"),
        ("[organisations.a]\ncolour = 3", "organisations.a.colour"),
        ("[organisations.a]\nattempts = 3", "organisations.a.attempts"),
        ("[organisations.a]\nweight = 0", "organisations.a.weight"),
        ("[organisations.a]\nweight = 'two'", "organisations.a.weight"),
        ("[organisations.a.limits]\nparts = 'many'", "organisations.a.limits.parts"),
        ("[organisations.a.limits]\nparts = -1", "organisations.a.limits.parts"),
        ("[organisations.a.limits]\ninput_bytes = 'big'", "organisations.a.limits.input_bytes"),
        ("[organisations.a.treatment]\nconfirmed_by = 'me'", "organisations.a.treatment.confirmed_by"),
        ("[treatment]\nconfirmed_digests = []", "treatment.confirmed_digests"),
        ("[organisations.a.departments.b.kinds]\npdf = 'pass'", "organisations.a.departments.b.kinds.pdf"),
        ("[organisations.a.departments.b]\nweight = 2", "organisations.a.departments.b.weight"),
        ("[groups.a]\nkinds = {}", "groups.a"),
        ("[groups.a]\nmembers = 'x'", "groups.a.members"),
        ("[groups.a]\nmembers = ['']", "groups.a.members"),
        ("[groups.a]\nsenders = ['']", "groups.a.members"),
        ("[organisations.a]\ndepartments = 3", "organisations.a.departments"),
        ("[organisations.'']\nweight = 2", "organisations."),
        ("[lanes.a]\nmembers = ['x']", "lanes.a.members"),
        ("[doors.window]\nkinds = {}", "doors.window"),
        ("layers = []", "layers"),
        ("document = 'x'", "document"),
        ("exceptions = []", "exceptions"),
    ],
)
def test_a_bad_document_names_the_key(document: str, key: str) -> None:
    with pytest.raises(PolicyError) as error:
        load(document)
    assert str(error.value).startswith(f"{key}:"), str(error.value)
    assert "\n" not in str(error.value)


def test_facts_are_said_by_name_and_stay_and_know_the_departments() -> None:
    given = facts(transfer(), {"a@x": ("建設部",)})
    assert given.departments == {"a@x": ("建設部",)}
    assert facts(transfer()).departments == {}
    with pytest.raises(AttributeError):
        given.sender = "x"      # type: ignore[misc]
    with pytest.raises(TypeError):
        Facts("A町")            # type: ignore[misc]


# As the manual tells them: what the two ends of the scale say, value by value.
SECURITY = {
    "link_schemes": (), "mail_links_defanged": True, "pdf_attachments": False, "pdf_forms_flattened": True, "pdf_properties_kept": (),
    "pdf_links_removed": True, "pdf_strict_pixels": True, "comments_kept": False, "capture_date_kept": False, "picture_codes": "covered",
    "low_bits_cleared": True, "svg_as_pixels": True, "metafiles_as_pixels": True, "bad_member_holds_archive": True, "pages_as_text": True,
}  # fmt: skip
FIDELITY = {
    "link_schemes": ("http", "https", "mailto", "tel"), "mail_links_defanged": True, "pdf_attachments": True, "pdf_forms_flattened": False,
    "pdf_properties_kept": ("Title", "Subject", "Keywords"), "pdf_links_removed": False, "pdf_strict_pixels": False, "comments_kept": True,
    "capture_date_kept": True, "picture_codes": "ignored", "low_bits_cleared": False, "svg_as_pixels": False, "metafiles_as_pixels": False,
    "bad_member_holds_archive": False, "pages_as_text": False,
}  # fmt: skip


def test_what_the_strengths_say() -> None:
    assert VALUES[Strength.SECURITY] == SECURITY
    assert VALUES[Strength.FIDELITY] == FIDELITY
    assert VALUES[Strength.STANDARD] == {field: getattr(Treatment(), field) for field in SECURITY}


@pytest.mark.parametrize("document", ["attempts = 1", "original_days = 1", "[organisations.a]\nweight = 1000", "[organisations.a]\nweight = 0.001"])
def test_the_least_and_the_most_are_taken(document: str) -> None:
    load(document)


@pytest.mark.parametrize("document", ["attempts = 0", "original_days = 0", "[organisations.a]\nweight = 1000.5", "[organisations.a]\nweight = -1", "[organisations.a]\nweight = nan"])
def test_less_and_more_are_not(document: str) -> None:
    with pytest.raises(PolicyError):
        load(document)


def test_layers_are_laid_on_by_what_they_are_for_and_not_as_they_stand() -> None:
    """The door's word last, before it the lane's, groups' of either sort, and the organisation's."""
    def holds(action: KindAction, *path: str, **whose: object) -> Layer:
        return Layer(path=path, kinds={Kind.SVG: action}, **whose)      # type: ignore[arg-type]

    door, lane = holds(KindAction.HOLD, "doors", "smtp", door="smtp"), holds(KindAction.BLOCK, "lanes", "inbound", lane="inbound")
    members, senders = holds(KindAction.PIXELS, "groups", "a", members=("x",)), holds(KindAction.PIXELS, "groups", "b", senders=("y",))
    town = holds(KindAction.SANITIZE, "organisations", "a", organisation="a")
    ordered = [town, members, lane, door]
    for count in range(1, 5):
        for group in (members, senders):
            layers = [group if layer is members else layer for layer in ordered[:count]]
            found = effective(Policy(layers=tuple(reversed(layers))), at(organisation="a", people=("x",), sender="y"))
            assert found.applied == tuple(layer.name for layer in layers)
            assert found.action(Kind.SVG) is layers[-1].kinds[Kind.SVG]


def test_kinds_that_are_confirmed_are_those_of_the_treatment_and_of_the_kinds() -> None:
    found = effective(load("[treatment]\nconfirmed_kinds = ['jww']\n[kinds]\nsfc = 'confirm'\ndxf = 'confirm'\npdf = 'hold'"), at())
    assert found.treatment.confirmed_kinds == (Kind.JWW, Kind.DXF, Kind.SFC)


def test_what_was_found_stays_found_until_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_module, "_MOST_RESOLVED", 2)
    policy = load("\n".join(f"[groups.g{number}]\nmembers = ['{number}']\n" for number in range(3)))
    first = effective(policy, at(people=("0",)))
    effective(policy, at(people=("1",)))
    assert effective(policy, at(people=("0",))) is first
    assert len(policy.resolved) == 2
    effective(policy, at(people=("2",)))
    assert len(policy.resolved) == 1


@pytest.mark.parametrize("said", ["strength = 'security'", "weight = 2", "limits = {parts = 1}", "treatment = {comments_kept = true}", "kinds = {svg = 'hold'}"])
def test_an_organisation_of_which_anything_is_said_is_a_layer(said: str) -> None:
    assert [layer.name for layer in load(f"[organisations.a]\n{said}").layers] == ["organisations.a"]
    assert load("[organisations.a]").layers == ()
