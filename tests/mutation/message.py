"""What the tests of mail must notice when it is switched off.

`python -m tests.mutation.message` prints each rule with the test that fails without it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from sanitizers.formats.message.htmltext import Rendered
from sanitizers.formats.message.links import Defanged
from sanitizers.formats.message.pgp import Opened
from sanitizers.formats.message.text import Cleaned
from tests.mutation.runner import Mutant, main

_M = "sanitizers.formats.message"
_V = "sanitizers.verify.message"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_ALWAYS = re.compile(r".*", re.DOTALL)
_HUGE = 1 << 40
_TESTS = "tests/sanitizers/formats/message"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _header_as_it_was(self: Any, charset: str = "utf-8") -> list[str]:
    return [f"{entry.name}: {entry.value.decode('ascii', 'replace')}" for entry in self._header.fields if not entry.name.startswith(("content-", "mime-"))]


def _lenient_base64(letters: bytes, where: str) -> bytes:
    import binascii

    return binascii.a2b_base64(letters + b"==")


def _tags_out(html: str, schemes: tuple[str, ...]) -> Rendered:
    return Rendered(re.sub(r"<[^>]*>", "", html), Counter(), {})


def _several(self: Any) -> Any:
    return self._boxes("From")[-1]


MUTANTS: tuple[Mutant, ...] = (
    # header
    Mutant("all fields of the header", f"{_M}.envelope:Envelope.lines", _header_as_it_was, f"{_TESTS}/test_hostile.py"),
    Mutant("the last of several senders", f"{_M}.envelope:Envelope._author", _several),
    Mutant("any address", f"{_M}.address:_ADDRESS", _ALWAYS),
    Mutant("so many addresses", f"{_M}.envelope:ADDRESS_LIMIT", _HUGE),
    Mutant("names that show another address", f"{_M}.envelope:spoofed_name", lambda _box: ""),
    Mutant("replies that go elsewhere", f"{_M}.envelope:Envelope._reply_to", lambda self, _author: self._boxes("Reply-To")),
    Mutant("controls in headers", f"{_M}.words:plain", lambda text, limit=1000: text[:limit]),
    Mutant("direction marks in headers", f"{_M}.words:visible", lambda _char: True),
    Mutant("requests for receipts", f"{_M}.envelope:_WANTS_RECEIPT", ()),
    Mutant("identifiers as they are", f"{_M}.envelope:_MESSAGE_ID", re.compile(rb"<([^>]*)>")),
    Mutant("stations are not counted", f"{_M}.trace:HOPS_LIMIT", 0),
    Mutant("authentication of nobody", f"{_M}.trace:_authentication", lambda _context: []),
    # structure
    *(
        Mutant(f"ambiguity: {rule}", f"{_M}.ambiguity:{rule}", _nothing, f"{_TESTS}/test_torture.py")
        for rule in ("check_header", "check_type", "check_raw_boundary", "check_boundary_tricks", "check_unsplit")
    ),
    Mutant("ambiguity: names", f"{_M}.gather:check_names", _nothing, f"{_TESTS}/test_torture.py"),
    Mutant("ambiguity: lookalikes of a boundary", f"{_M}.reader:Reader._check_lookalikes", _nothing, f"{_TESTS}/test_hostile.py"),
    Mutant("ambiguity: fields behind a broken line", f"{_M}.header:_STRUCTURAL", _NEVER_BYTES, f"{_TESTS}/test_torture.py"),
    Mutant("ambiguity: base64 with junk", f"{_M}.transfer_encoding:_agreed", _lenient_base64, f"{_TESTS}/test_torture.py"),
    Mutant("ambiguity: encodings that hide a known one", f"{_M}.transfer_encoding:_KNOWN", (), f"{_TESTS}/test_torture.py"),
    Mutant("ambiguity: all readings go to the rules", f"{_M}.rescue:scan", _nothing, f"{_TESTS}/test_hostile.py"),
    Mutant("parts", f"{_M}.reader:PART_LIMIT", _HUGE, f"{_TESTS}/test_hostile.py"),
    Mutant("depth", f"{_M}.reader:DEPTH_LIMIT", 400, f"{_TESTS}/test_hostile.py"),
    Mutant("header bytes", f"{_M}.header:BLOCK_LIMIT", _HUGE, f"{_TESTS}/test_hostile.py"),
    Mutant("outside of the parts", f"{_M}.gather:Gatherer._outside", _nothing, f"{_TESTS}/test_hostile.py"),
    # what is left out
    Mutant("signatures", f"{_M}.media:SIGNATURES", frozenset(), f"{_TESTS}/test_hostile.py"),
    Mutant("detached signatures are not checked", f"{_M}.signed:detached", lambda _signature, _part: None, f"{_TESTS}/test_notice.py"),
    Mutant("opaque signatures are not opened", f"{_M}.signed:opaque", lambda _data: None, f"{_TESTS}/test_hostile.py"),
    Mutant("PGP", f"{_M}.pgp:opened", lambda text: Opened(text, [], 0), f"{_TESTS}/test_torture.py"),
    Mutant("sealed files", f"{_M}.pgp:SEALED", "no such line", f"{_TESTS}/test_torture.py"),
    Mutant("special forms", f"{_M}.media:NEVER_SHOWN", frozenset(), f"{_TESTS}/test_torture.py"),
    Mutant("pieces and references", f"{_M}.gather:Gatherer._elsewhere", lambda self, part: self._leaf(part), f"{_TESTS}/test_torture.py"),
    Mutant("winmail.dat", f"{_M}.gather:Gatherer._tnef", lambda self, part: self._attach(part) or [], f"{_TESTS}/test_torture.py"),
    Mutant("files in text", f"{_M}.inline:_FORMS", (), f"{_TESTS}/test_torture.py"),
    Mutant("lines that begin files", f"{_M}.text:_FILE_LINE", _NEVER, f"{_TESTS}/test_hostile.py"),
    Mutant("control characters", f"{_M}.text:_SUSPECT", _NEVER, f"{_TESTS}/test_hostile.py"),
    Mutant("all of the cleaning", f"{_M}.gather:clean", lambda text: Cleaned(text, 0, 0), f"{_TESTS}/test_hostile.py"),
    Mutant("links", "sanitizers.formats.message:defang", lambda text: Defanged(text, 0), f"{_TESTS}/test_hostile.py"),
    Mutant("unsafe names", "sanitizers.formats.message:_DANGEROUS", _NEVER, f"{_TESTS}/test_torture.py"),
    Mutant("names that turn", "sanitizers.formats.message:_TURNED", _NEVER, f"{_TESTS}/test_notice.py"),
    Mutant("passwords", "sanitizers.formats.message:_PASSWORD", _NEVER, f"{_TESTS}/test_notice.py"),
    Mutant("one name twice", "sanitizers.formats.message:_unique", lambda name, _taken: name, f"{_TESTS}/test_delivery.py"),
    Mutant("imitated notices", f"{_M}.banner:split", lambda text: ("", text), f"{_TESTS}/test_delivery.py"),
    Mutant("imitated notices at the end", f"{_M}.banner:_last_notice", lambda _text, end: end, f"{_TESTS}/test_notice.py"),
    # HTML
    Mutant("a naive conversion", f"{_M}.gather:render", _tags_out, f"{_TESTS}/test_htmltext.py"),
    Mutant("what is not text", f"{_M}.htmltext:_DROPPED", frozenset(), f"{_TESTS}/test_htmltext.py"),
    Mutant("hidden text", f"{_M}.htmltext:_HIDDEN", _NEVER, f"{_TESTS}/test_htmltext.py"),
    Mutant("text without room", f"{_M}.htmltext:_NO_SIZE", _NEVER, f"{_TESTS}/test_htmltext.py"),
    Mutant("text outside of the window", f"{_M}.htmltext:_OUTSIDE", _NEVER, f"{_TESTS}/test_htmltext.py"),
    Mutant("white on white", f"{_M}.ink:Ink.unseen", False, f"{_TESTS}/test_notice.py"),
    Mutant("colours by style", f"{_M}.ink:_STYLE", _NEVER, f"{_TESTS}/test_notice.py"),
    Mutant("all kinds of link", f"{_M}.htmltext:_Page._target", lambda _self, href: href, f"{_TESTS}/test_hostile.py"),
    Mutant("links that mislead", f"{_M}.htmltext:misleads", lambda _shown, _target: False, f"{_TESTS}/test_htmltext.py"),
    Mutant("active elements", f"{_M}.htmltext:_ACTIVE", frozenset(), f"{_TESTS}/test_hostile.py"),
    Mutant("remote images", f"{_M}.htmltext:_REMOTE", ("no such scheme",), f"{_TESTS}/test_hostile.py"),
    # Outlook
    Mutant("what RTF does not show", f"{_M}.rtf:_SKIPPED", frozenset(), f"{_TESTS}/test_outlook.py"),
    Mutant("the twin of HTML in RTF", f"{_M}.rtf:_Reader._seen", True, f"{_TESTS}/test_outlook.py"),
    Mutant("groups of RTF", f"{_M}.rtf:_DEPTH", _HUGE, f"{_TESTS}/test_outlook.py"),
    Mutant("items in items", f"{_M}.mapi:DEPTH_LIMIT", 200, f"{_TESTS}/test_outlook.py"),
    Mutant("properties", f"{_M}.mapi:PROPERTY_LIMIT", _HUGE, f"{_TESTS}/test_outlook.py"),
    # composing, and the second opinion
    Mutant("names with semicolons in quotes", f"{_M}.compose:_PLAIN_NAME", re.compile(r"[ -~]+"), f"{_TESTS}/test_readers.py"),
    *(
        Mutant(f"second opinion: {rule}", f"{_V}:{rule}", _nothing, "tests/sanitizers/verify/test_message.py")
        for rule in ("_check_header", "_check_header_bytes", "_check_trees", "_check_attachment")
    ),
    Mutant("second opinion: the text", f"{_V}:_check_text", _nothing, "tests/sanitizers/verify/test_message.py"),
    Mutant("second opinion: live links", f"{_V}:_LINK", _NEVER, "tests/sanitizers/verify/test_message.py"),
    Mutant("second opinion: how files are described", f"{_V}:_FILE_HEADER", re.compile(rb".*", re.DOTALL), "tests/sanitizers/verify/test_message.py"),
    Mutant("second opinion: base64", f"{_V}:_ALPHABET", bytes(set(range(256)) - set(b"\r\n")), "tests/sanitizers/verify/test_message.py"),
)
TESTS = (*(f"{_TESTS}/test_{name}.py" for name in ("torture", "hostile", "delivery", "htmltext", "notice", "outlook", "readers")), "tests/sanitizers/verify/test_message.py")

if __name__ == "__main__":
    main(MUTANTS, TESTS)
