"""Sender authentication against a DNS that lives in this process, with keys made here."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mail.authentication import Checker, Results, UnansweredError, author_domain, check, organisation_of, taken_over

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
HEAD = b"From: =?UTF-8?B?5bGx55Sw?= <yamada@mail.example.jp>\r\nTo: a@town.example.jp\r\nSubject: x\r\n"
MESSAGE = HEAD + b"\r\nhello\r\n"
OURS = "8.8.4.4"
ZONE: dict[tuple[str, str], list[Any]] = {
    ("mail.example.jp", "TXT"): ["v=spf1 include:_spf.example.jp mx -all"],
    ("_spf.example.jp", "TXT"): ["v=spf1 ip4:8.8.4.0/24 ?all"],
    ("mail.example.jp", "MX"): [(10, "mx.example.jp")],
    ("mx.example.jp", "A"): ["9.9.9.9"],
    ("named.example.jp", "TXT"): ["v=spf1 ptr -all"],
    ("9.9.9.9.in-addr.arpa", "PTR"): ["mail.named.example.jp."],
    ("mail.named.example.jp", "A"): ["9.9.9.9"],
    ("s1._domainkey.example.jp", "TXT"): [f"v=DKIM1; k=rsa; p={PUBLIC}"],
    ("s1._domainkey.other.jp", "TXT"): [f"v=DKIM1; k=rsa; p={PUBLIC}"],
    ("_dmarc.example.jp", "TXT"): ["v=DMARC1; p=reject"],
}


def lookup(name: str, kind: str) -> list[Any]:
    return ZONE.get((name.lower().rstrip("."), kind), [])


def silent(name: str, kind: str) -> list[Any]:
    raise UnansweredError(name)


def signed(message: bytes = MESSAGE, domain: bytes = b"example.jp", **options: Any) -> bytes:
    return dkim.sign(message, b"s1", domain, PEM, include_headers=[b"from", b"subject"], **options) + message


def result(message: bytes = MESSAGE, client: str = OURS, sender: str = "yamada@mail.example.jp", ask: Any = lookup) -> Results:
    return check(message, client=client, sender=sender, lookup=ask)


@pytest.mark.parametrize(
    ("client", "expected"),
    [(OURS, "pass"), ("9.9.9.9", "pass"), ("1.1.1.1", "fail"), ("127.0.0.1", ""), ("192.168.1.1", ""), ("", ""), ("IPv6:2001:4860::8", "fail")],
)
def test_spf(client: str, expected: str) -> None:
    assert result(client=client).spf == expected


def test_spf_of_domains_without_or_with_a_broken_record() -> None:
    assert result(sender="a@nothing.jp").spf == "none"
    assert result(sender="").spf == ""
    loop = {("loop.jp", "TXT"): ["v=spf1 include:loop.jp -all"]}
    assert result(sender="a@loop.jp", ask=lambda name, kind: loop.get((name, kind), [])).spf == "permerror"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1 a:n1.jp a:n2.jp -all", "fail"),
        ("v=spf1 a:n1.jp a:n2.jp a:n3.jp -all", "permerror"),       # three answers without content
        (f"v=spf1 a:{'x' * 70}.jp a:{'y' * 70}.jp a:{'z' * 70}.jp ?all", "neutral"),    # names that cannot be asked cost nothing
        ("v=spf1 ip4:8.8.4.4/99 -all", "permerror"),
    ],
)
def test_spf_records_end_at_their_limits(record: str, expected: str) -> None:
    assert result(sender="a@z.jp", ask=lambda name, kind: [record] if (name, kind) == ("z.jp", "TXT") else []).spf == expected


def test_dkim_and_dmarc_alignment() -> None:
    assert result(signed()) == Results(spf="pass", dkim="pass", dmarc="pass", arc="")
    assert result(signed(), client="1.1.1.1") == Results(spf="fail", dkim="pass", dmarc="pass", arc="")
    other = signed(domain=b"other.jp")
    assert result(other, client="1.1.1.1") == Results(spf="fail", dkim="pass", dmarc="fail", arc="")
    assert result(MESSAGE, client="1.1.1.1").dmarc == "fail"
    assert result(MESSAGE).dmarc == "pass"
    assert result(MESSAGE, sender="yamada@nothing.jp").dmarc == "fail"


def test_strict_alignment_is_respected() -> None:
    strict = ZONE | {("_dmarc.example.jp", "TXT"): ["v=DMARC1; p=none; adkim=s; aspf=s"]}

    def ask(name: str, kind: str) -> list[Any]:
        return strict.get((name, kind), [])

    assert result(signed(), client="1.1.1.1", ask=ask).dmarc == "fail"  # example.jp signed for mail.example.jp
    assert result(MESSAGE, ask=ask).dmarc == "pass"


def test_changed_and_half_signed_mails_do_not_pass() -> None:
    assert result(signed().replace(b"hello", b"hallo")).dkim == "fail"
    half = signed(length=True)
    assert result(half + b"<script>").dkim == "policy"
    assert result(signed(), ask=lambda name, kind: []).dkim == "fail"


def test_several_authors_are_nobody() -> None:
    assert result(signed(b"From: b@evil.jp\r\n" + MESSAGE)).dmarc == "permerror"
    assert author_domain([b" a@x.jp, b@y.jp"]) == ""
    assert author_domain([b' "real@bank.jp" <a@x.jp>']) == "x.jp"


def test_organisations() -> None:
    assert organisation_of("a.b.town.example.lg.jp") == "example.lg.jp"
    assert organisation_of("www.city.yokohama.jp") == "city.yokohama.jp"
    assert organisation_of("lists.example.co.jp") == "example.co.jp"


def test_arc_chain() -> None:
    body = b"Authentication-Results: lists.example.jp; spf=pass\r\n" + signed()
    seal = b"".join(dkim.arc_sign(body, b"s1", b"example.jp", PEM, b"lists.example.jp", include_headers=[b"from", b"subject"]))
    assert result(seal + body).arc == "pass"
    assert result(seal + body.replace(b"hello", b"hallo")).arc == "fail"
    assert result(b"ARC-Seal: i=1\r\n" * 50 + MESSAGE).arc == "policy"


def test_a_broken_line_in_the_header_hides_no_failure() -> None:
    """The library takes such a message for none at all; what does not need it is found out all the same."""
    for field in (b"this is no field\r\n", b" folded before any field\r\n"):
        message = field + signed()
        assert result(message, client="1.1.1.1") == Results(spf="fail", dkim="permerror", dmarc="fail", arc="")
        assert result(message) == Results(spf="pass", dkim="permerror", dmarc="pass", arc="")


def test_a_chain_that_cannot_be_read_or_asked_about() -> None:
    body = b"Authentication-Results: lists.example.jp; spf=pass\r\n" + signed()
    seal = b"".join(dkim.arc_sign(body, b"s1", b"example.jp", PEM, b"lists.example.jp", include_headers=[b"from", b"subject"]))
    assert result(seal + body, ask=silent).arc == "temperror"
    assert result(b"no field\r\n" + seal + body).arc == "permerror"


def test_what_dns_did_not_say_is_no_failure_of_the_author() -> None:
    def partly(name: str, kind: str) -> list[Any]:
        if name == "mail.example.jp":
            raise UnansweredError(name)
        return lookup(name, kind)

    assert result(ask=partly) == Results(spf="temperror", dkim="none", dmarc="temperror", arc="")


def test_silent_dns_is_no_verdict() -> None:
    assert result(signed(), ask=silent) == Results(spf="temperror", dkim="temperror", dmarc="temperror", arc="")


@pytest.mark.parametrize(
    "message",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256\r\n" + MESSAGE,
        b"DKIM-Signature: \xff\xff;;=\r\n" + MESSAGE,
        b"DKIM-Signature: v=1; a=rsa-sha256; d=\xe3\x81\x82; s=x; h=from; bh=!; b=!\r\n" + MESSAGE,
        b"no header at all",
        b"",
        b"\r\n" * 1000,
    ],
)
def test_broken_signatures_are_a_result_and_no_error(message: bytes) -> None:
    assert result(message).dkim in ("permerror", "none", "fail")


def test_what_would_cost_more_than_linear_time_is_not_handed_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    message = signed()
    monkeypatch.setattr(dkim, "DKIM", None)
    for flood in (
        message + b" " * 100_000,
        b"X: y\r\n" + b" z\r\n" * 3000 + message,
        b"X: " + b"y" * 200_000 + b"\r\n" + message,
    ):
        assert result(flood).dkim in ("policy", "none")


def test_trusted_upstream() -> None:
    theirs = b"Authentication-Results: mx.example.jp 1;\r\n dkim=fail (x; dkim=pass) header.d=a.jp; dkim=pass header.d=b.jp;\r\n spf=softfail; dmarc=pass\r\n"
    forged = b"Authentication-Results: mx.example.jp; spf=pass; arc=pass\r\n"
    other = b"Authentication-Results: evil.example; spf=pass\r\n"
    assert taken_over(other + theirs + forged + MESSAGE, "MX.example.jp") == Results(spf="softfail", dkim="pass", dmarc="pass", arc="")
    assert taken_over(other + MESSAGE, "mx.example.jp") == Results()
    twice = b"Authentication-Results: mx.example.jp; spf=fail; spf=pass; dkim=pass; dkim=fail; dmarc=none\r\n"
    assert taken_over(twice + MESSAGE, "mx.example.jp") == Results(spf="fail", dkim="pass", dmarc="none", arc="")


async def test_checker_gives_up_in_time_and_leaves_a_dead_dns_alone() -> None:
    now = 0.0
    asked = []

    def slow(name: str, kind: str) -> list[Any]:
        nonlocal now
        asked.append(name)
        now += 2.0
        raise UnansweredError(name)

    checker = Checker(lookup=slow, limit=3.0, clock=lambda: now)
    first = await checker.check(signed(), client=OURS, sender="yamada@mail.example.jp")
    assert (first.spf, first.dkim) == ("temperror", "temperror")
    assert len(asked) == 2  # then the time was up
    for _ in range(3):
        await checker.check(signed(), client=OURS, sender="yamada@mail.example.jp")
    count = len(asked)
    await checker.check(signed(), client=OURS, sender="yamada@mail.example.jp")
    assert len(asked) == count
    now += 60.0
    await checker.check(signed(), client=OURS, sender="yamada@mail.example.jp")
    assert len(asked) > count


async def test_a_failing_library_loses_nothing() -> None:
    def broken(name: str, kind: str) -> list[Any]:
        raise ZeroDivisionError

    assert (await Checker(lookup=broken).check(signed(), client=OURS, sender="a@mail.example.jp")).dmarc == "temperror"


async def test_checker_asks_a_real_dns_server() -> None:
    """A name server on a socket of this process, asked by the product's own resolver."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(5)

    def serve() -> None:
        try:
            while True:
                wire, peer = server.recvfrom(4096)
                query = dns.message.from_wire(wire)
                question = query.question[0]
                reply = dns.message.make_response(query)
                for record in ZONE.get((question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)), []):
                    text = f"{record[0]} {record[1]}." if isinstance(record, tuple) else record
                    if question.rdtype == dns.rdatatype.TXT:
                        text = " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))
                    reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, text))
                server.sendto(reply.to_wire(), peer)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    checker = Checker(["127.0.0.1"], limit=5.0)
    port = server.getsockname()[1]
    await checker.check(MESSAGE, client="", sender="")  # nothing to ask
    import dns.resolver

    checker._resolver = dns.resolver.Resolver(configure=False)
    checker._resolver.nameservers, checker._resolver.port = ["127.0.0.1"], port
    found = await asyncio.wait_for(checker.check(signed(), client="9.9.9.9", sender="yamada@mail.example.jp"), 10)
    by_name = await asyncio.wait_for(checker.check(MESSAGE, client="9.9.9.9", sender="a@named.example.jp"), 10)
    server.close()
    assert found == Results(spf="pass", dkim="pass", dmarc="pass", arc="")
    assert by_name.spf == "pass"


async def test_a_resolver_that_is_none_is_a_dns_that_does_not_answer() -> None:
    checker = Checker(["not an address"])
    assert await checker.check(signed(), client="9.9.9.9", sender="yamada@mail.example.jp") == Results("temperror", "temperror", "temperror", "")
