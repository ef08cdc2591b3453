"""Whether the sender of a mail is who it says: SPF, DKIM, DMARC and ARC, looked at before anything is converted.

The answers only ever inform the reader: a mail is neither lost nor held because of them, and no DNS server can keep it waiting for longer
than the time limit. `check` is a pure function of a message, its envelope and what DNS says; `Checker` is its thin shell.
Spec: RFC 7208 (SPF, by pyspf), RFC 6376 (DKIM, by dkimpy), RFC 8617 (ARC, by dkimpy), RFC 7489 (DMARC), RFC 8601 (the words for results).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any, Final

import dkim
import dns.exception
import dns.resolver
import spf
from publicsuffixlist import PublicSuffixList

_log = logging.getLogger(__name__)

# A question to DNS: (name, type) -> texts (A, AAAA, TXT as one string, PTR) or (preference, host) for MX. [] for a name without an answer.
Lookup = Callable[[str, str], list[Any]]

_SUFFIXES: Final = PublicSuffixList()
_SIGNATURES: Final = 3           # signatures and links of a chain that are looked at
_CHAIN: Final = 10
_HEADER_LIMIT: Final = 100 << 10
_FOLDS: Final = 2000
_BLANKS: Final = re.compile(rb"[\t ]{32,}")
_BLANK_COST: Final = 50_000_000  # the library looks at a run of n blanks n² / 2 times
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE)
_METHOD: Final = re.compile(r"(?:^|[;\s])(spf|dkim|dmarc|arc)\s*=\s*([a-z]{1,20})", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\([^()]*\)|\"[^\"]*\"")
_QUIET_SECONDS: Final = 30.0     # after so many mails without any answer DNS is left alone for a while
_MOST_UNANSWERED: Final = 5


class UnansweredError(Exception):
    """DNS did not answer in time, or not usably."""


@dataclass(frozen=True, slots=True)
class Results:
    """One word for each method (`pass`, `fail`, `none`, …), '' for one that was not tried."""

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    arc: str = ""


# ----------------------------------------------------------------------------------------------------------------- check


def check(message: bytes, *, client: str, sender: str, lookup: Lookup) -> Results:
    """All four. `client`: the address the mail came from; a private one says nothing about SPF. `sender`: of the envelope."""
    header = _fields(message)
    spf_result = _spf(client, sender, lookup)
    if not _bearable(message):
        return Results(spf=spf_result, dkim="policy" if b"dkim-signature" in header else "none", dmarc="temperror")
    dkim_result, signers = _dkim(message, len(header.get(b"dkim-signature", ())), lookup)
    arc_result = _arc(message, len(header.get(b"arc-seal", ())), lookup)
    if not spf_result and dkim_result == "none":
        return Results(arc=arc_result)
    sent_by = sender.rpartition("@")[2] if spf_result == "pass" else ""
    dmarc = _dmarc(header.get(b"from", []), signers, sent_by, lookup)
    if dmarc == "fail" and "temperror" in (spf_result, dkim_result):
        dmarc = "temperror"
    return Results(spf=spf_result, dkim=dkim_result, dmarc=dmarc, arc=arc_result)


def _fields(message: bytes) -> dict[bytes, list[bytes]]:
    head = re.split(rb"\r?\n\r?\n", message[:_HEADER_LIMIT], maxsplit=1)[0]
    found: dict[bytes, list[bytes]] = {}
    for match in re.finditer(rb"^" + _FIELD.pattern, head, re.MULTILINE):
        found.setdefault(match[1].lower(), []).append(match[2])
    return found


def _bearable(message: bytes) -> bool:
    """False for what would cost the library more than linear time: huge headers, thousands of folds, very long runs of blanks."""
    ends = [at for at in (message.find(b"\r\n\r\n"), message.find(b"\n\n")) if at >= 0]
    head = message[: min(ends, default=len(message))]
    if len(head) > _HEADER_LIMIT or head.count(b"\n ") + head.count(b"\n\t") > _FOLDS:
        return False
    return sum(len(run) ** 2 for run in _BLANKS.findall(message)) < _BLANK_COST


class _Query(spf.query):  # type: ignore[misc]
    """pyspf with our own questions to DNS."""

    def __init__(self, client: str, sender: str, lookup: Lookup) -> None:
        super().__init__(client, sender, sender.rpartition("@")[2])
        self._lookup = lookup

    def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:  # noqa: ARG002
        """Its one way to DNS (aliases are followed by the resolver); counts answers without content (RFC 7208 §4.6.4)."""
        if not name or any(not 0 < len(label) < 64 for label in str(name).rstrip(".").split(".")):
            return []
        answers = self._lookup(str(name), qtype)
        if not answers and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError(f"Void lookup limit of {spf.MAX_VOID_LOOKUPS} exceeded")
        return [(answer.encode("utf-8", "replace"),) for answer in answers] if qtype in ("TXT", "SPF") else answers


def _spf(client: str, sender: str, lookup: Lookup) -> str:
    try:
        address = ipaddress.ip_address(client.removeprefix("IPv6:"))
    except ValueError:
        return ""
    if not address.is_global or "@" not in sender:
        return ""
    try:
        return str(_Query(str(address), sender, lookup).check()[0])
    except UnansweredError:
        return "temperror"
    except (spf.PermError, ValueError, IndexError, UnicodeError):
        return "permerror"


def _dkim(message: bytes, count: int, lookup: Lookup) -> tuple[str, list[str]]:
    """The best result of the first signatures, and the domains of those that hold."""
    results, signers = [], []
    for index in range(min(count, _SIGNATURES)):
        try:
            signature = dkim.DKIM(message)
            valid = signature.verify(index, dnsfunc=_txt(lookup))
            if valid and b"l" in signature.signature_fields:
                results.append("policy")  # anything may have been added behind the signed part
            elif valid:
                signers.append(signature.domain.decode("ascii", "replace").lower())
                results.append("pass")
            else:
                results.append("fail")
        except UnansweredError:
            results.append("temperror")
        except dkim.ValidationError:
            results.append("fail")
        except (dkim.DKIMException, ValueError, IndexError, KeyError, TypeError, AttributeError):
            results.append("permerror")
    return next((word for word in ("pass", "policy", "temperror", "fail", "permerror") if word in results), "none"), signers


def _arc(message: bytes, seals: int, lookup: Lookup) -> str:
    if not seals:
        return ""
    if seals > _CHAIN:
        return "policy"
    try:
        result = dkim.ARC(message).verify(dnsfunc=_txt(lookup))[0]
    except UnansweredError:
        return "temperror"
    except (dkim.DKIMException, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return "permerror"
    return "pass" if result == dkim.CV_Pass else "none" if result == dkim.CV_None else "fail"


def _txt(lookup: Lookup) -> Callable[..., bytes]:
    def ask(name: bytes | str, timeout: int = 5) -> bytes:  # noqa: ARG001 - the library's signature; the limit is the lookup's
        texts = lookup(name.decode("ascii", "replace") if isinstance(name, bytes) else name, "TXT")
        return str(texts[0]).encode("utf-8", "replace") if texts else b""

    return ask


# ----------------------------------------------------------------------------------------------------------------- DMARC


def _dmarc(authors: Sequence[bytes], signers: Sequence[str], sent_by: str, lookup: Lookup) -> str:
    """Whether the author's domain stands behind the mail (RFC 7489 §6.6.2). More than one author is nobody's."""
    domain = author_domain(authors)
    if not domain:
        return "permerror"
    try:
        record = _record(domain, lookup) or _record(organisation_of(domain), lookup)
    except UnansweredError:
        return "temperror"
    if record is None:
        return "none"
    if any(_aligned(domain, signer, record.get("adkim", "r")) for signer in signers):
        return "pass"
    return "pass" if sent_by and _aligned(domain, sent_by.lower(), record.get("aspf", "r")) else "fail"


def author_domain(authors: Sequence[bytes]) -> str:
    """The one domain that From names, or ''."""
    if len(authors) != 1:
        return ""
    text = re.sub(r"\s+", " ", authors[0].decode("utf-8", "replace"))
    domains = {address.rpartition("@")[2].lower().rstrip(".") for _, address in getaddresses([text]) if "@" in address}
    return domains.pop() if len(domains) == 1 else ""


def organisation_of(domain: str) -> str:
    """The domain that its owner registered: `example.lg.jp` of `mail.example.lg.jp`."""
    return _SUFFIXES.privatesuffix(domain) or domain


def _record(domain: str, lookup: Lookup) -> dict[str, str] | None:
    texts = [text for text in lookup(f"_dmarc.{domain}", "TXT") if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", text)]
    if len(texts) != 1:
        return None
    pairs = (item.partition("=") for item in texts[0].split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _aligned(author: str, other: str, mode: str) -> bool:
    return author == other if mode == "s" else organisation_of(author) == organisation_of(other)


# --------------------------------------------------------------------------------------------------------------- upstream


def taken_over(message: bytes, server: str) -> Results:
    """What the trusted server upstream wrote: only the topmost field under its name counts; those below came with the mail."""
    for value in _fields(message).get(b"authentication-results", []):
        text = _COMMENT.sub(" ", re.sub(r"\s+", " ", value.decode("ascii", "replace"))).strip()
        name, _, results = text.partition(";")
        if name.split(" ")[0:1] != [""] and name.split()[0].lower() == server.lower():
            return _best(results)
    return Results()


def _best(text: str) -> Results:
    """The first word of each method, but of several signatures the one that holds."""
    found: dict[str, str] = {}
    for method, result in _METHOD.findall(text):
        if method.lower() not in found or (method.lower() == "dkim" and result.lower() == "pass"):
            found[method.lower()] = result.lower()
    return Results(**found)


# ------------------------------------------------------------------------------------------------------------------ shell


class Checker:
    """Checks with a time limit for each mail. DNS that has not answered several mails in a row is left alone for a while."""

    def __init__(
        self,
        resolvers: Sequence[str] = (),
        *,
        limit: float = 3.0,
        lookup: Lookup | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolvers = tuple(resolvers)
        self._limit = limit
        self._lookup = lookup
        self._clock = clock
        self._resolver: dns.resolver.Resolver | None = None
        self._unanswered = 0
        self._quiet_until = 0.0

    async def check(self, message: bytes, *, client: str, sender: str) -> Results:
        """Never raises for what a message or a DNS server does: what could not be found out is `temperror`."""
        until = self._clock() + self._limit

        def lookup(name: str, kind: str) -> list[Any]:
            return self._within(name, kind, until)

        try:
            return await asyncio.to_thread(check, message, client=client, sender=sender, lookup=lookup)
        except Exception:  # noqa: BLE001 - a mail that trips a library is delivered all the same; its reader is told that nothing is known
            _log.warning("a sender could not be checked", exc_info=True)
            return Results("temperror", "temperror", "temperror", "")

    def _within(self, name: str, kind: str, until: float) -> list[Any]:
        left = until - self._clock()
        if left <= 0 or self._clock() < self._quiet_until:
            raise UnansweredError(name)
        try:
            answers = self._lookup(name, kind) if self._lookup else self._dns(name, kind, left)
        except UnansweredError:
            self._unanswered += 1
            if self._unanswered >= _MOST_UNANSWERED:
                self._unanswered, self._quiet_until = 0, self._clock() + _QUIET_SECONDS
            raise
        self._unanswered = 0
        return answers

    def _dns(self, name: str, kind: str, left: float) -> list[Any]:
        try:
            if self._resolver is None:
                self._resolver = dns.resolver.Resolver(configure=not self._resolvers)
                if self._resolvers:
                    self._resolver.nameservers = list(self._resolvers)
            answers = self._resolver.resolve(name, kind, lifetime=left, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, ValueError, OSError) as error:
            raise UnansweredError(str(error)) from error
        return [_plain(kind, record) for record in answers]


def _plain(kind: str, record: Any) -> Any:
    if kind in ("A", "AAAA"):
        return record.address
    if kind == "MX":
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    if kind == "PTR":
        return record.target.to_text(omit_final_dot=True)
    return b"".join(record.strings).decode("utf-8", "replace")
