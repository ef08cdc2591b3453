"""Paths: no spelling of a recipient means two destinations; real senders are not turned away."""

from __future__ import annotations

import pytest

from mail import address

RELAYS = [
    "", "@", "a", "@town.example.jp", "a@", "a%ext.example@town.example.jp", "ext.example!a@town.example.jp", "@town.example.jp:a@ext.example",
    '"a@ext.example"@town.example.jp', '"a"@town.example.jp', "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@town.example.jp.",
    "a@town.example.jp ", "a@town.example.jp\t", " a@town.example.jp", "a@ext.example@town.example.jp", "a@ext.example,b@town.example.jp",
    "a@town.example.jp,b@ext.example", "a\0@town.example.jp", "a\r@town.example.jp", "a\n@town.example.jp", "a\\@town.example.jp",
    "a(b)@town.example.jp", "a@(x)town.example.jp", "a..b@town.example.jp", ".a@town.example.jp", "a.@town.example.jp", "a@-x.example",
    "a@x-.example", "a@x..example", "a;b@town.example.jp", "a:b@town.example.jp", "<a@town.example.jp", "a@town_hall.example.jp",
    "x" * 65 + "@town.example.jp", "a@" + "x" * 64 + ".jp", "a@" + ".".join(["x" * 60] * 5),
]  # fmt: skip


@pytest.mark.parametrize("path", RELAYS)
@pytest.mark.parametrize("smtputf8", [False, True])
def test_no_spelling_of_a_recipient_has_a_second_destination(path: str, smtputf8: bool) -> None:
    assert address.recipient(path, smtputf8=smtputf8) is None


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("clerk@town.example.jp", "clerk@town.example.jp"),
        ("Taro.Yamada+x@TOWN.Example.JP", "Taro.Yamada+x@town.example.jp"),
        ("o'brien=x{y}|z~@town.example.jp", "o'brien=x{y}|z~@town.example.jp"),
        ("x" * 64 + "@town.example.jp", "x" * 64 + "@town.example.jp"),
    ],
)
def test_a_recipient_keeps_its_local_part_and_its_domain_becomes_lower_case(path: str, read: str) -> None:
    assert address.recipient(path) == read


def test_letters_beyond_ascii_need_smtputf8() -> None:
    assert address.recipient("役場@town.example.jp") is None
    assert address.recipient("役場@town.example.jp", smtputf8=True) == "役場@town.example.jp"


@pytest.mark.parametrize("char", ["\u202e", "\u2028", "\u00a0", "\u0085", "\u2066", "\u00ad"])
def test_invisible_letters_are_no_part_of_an_address(char: str) -> None:
    assert address.recipient(f"a{char}b@town.example.jp", smtputf8=True) is None
    assert address.sender(f"a{char}b@town.example.jp", smtputf8=True) is None


def test_a_domain_that_only_folds_to_ours_is_not_ours() -> None:
    kelvin = "a@\u212ayoto.example.jp"
    assert kelvin.lower() == "a@kyoto.example.jp"
    assert address.recipient(kelvin, smtputf8=True) is None


@pytest.mark.parametrize(
    "path",
    [
        "", "taro@partner.example", "foo..bar@docomo.ne.jp", "foo.@docomo.ne.jp", ".foo@ezweb.ne.jp", "bounce-a%b=c@list.example", "a!b@x.example",
        "SRS0=abcd=12=example.com=taro@fwd.example", '"taro yamada"@x.example', '"a\\"b@c"@x.example', "root@my_host.local", "a@localhost",
        "a@[192.0.2.1]", "a@[ipv6:2001:db8::1]",
    ],
)  # fmt: skip
def test_senders_as_they_are_in_the_wild(path: str) -> None:
    assert address.sender(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "a", "@x.example", "a@", "a b@x.example", "a\r\nRCPT TO:<x@y>@z.example", '"a\r\n"@x.example', "<a@x.example>", "a@x.example>", "a\0@x",
        "a@x y.example", "@hop.example:a@x.example", '"a"b@x.example', "役場@x.example", "a@[nonsense]", "a@" + "x." * 150 + "jp",
    ],
)  # fmt: skip
def test_a_sender_is_one_address(path: str) -> None:
    assert address.sender(path) is None


def test_senders_with_smtputf8() -> None:
    assert address.sender("差出人@例え.example", smtputf8=True) == "差出人@例え.example"
    assert address.sender("a\udce9@x.example", smtputf8=True) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("FROM:<a@b> SIZE=1  BODY=7BIT ", ("a@b", "SIZE=1  BODY=7BIT")),
        ("from: <a@b>", ("a@b", "")),
        ("FROM:<>", ("", "")),
        ("FROM:a@b", None), ("FROM <a@b>", None), ("FROM:<a@b", None), ("FROM:<a@b>SIZE=1", None), ("FROM:  <a@b>", None), ("TO:<a@b>", None),
        ("FROM:<a@b>\tSIZE=1", None), ("", None), ("FROM:", None), ("FROM:x<a@b>", None),
    ],
)  # fmt: skip
def test_arguments(text: str, read: tuple[str, str] | None) -> None:
    assert address.argument(text, "FROM:") == read
