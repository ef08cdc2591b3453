"""From the tree of parts to what will be written: one text and a list of attachments.

Which leaf is text, which an attachment, which of several alternatives is read, and what is left out. Nothing is fetched or run.
Spec: RFC 2046 §5, RFC 2387 (related), RFC 1847 (signed, encrypted), RFC 3462 (report), RFC 5751 (S/MIME).
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.charset import decode, decode_html
from sanitizers.cms import Check
from sanitizers.context import Context
from sanitizers.der import Broken
from sanitizers.formats.message import inline, mapi, media, pgp, signed, tnef
from sanitizers.formats.message.address import NOBODY
from sanitizers.formats.message.ambiguity import check_names
from sanitizers.formats.message.calendar import summary
from sanitizers.formats.message.content import Attachment, Content
from sanitizers.formats.message.htmltext import Rendered, render
from sanitizers.formats.message.reader import Part
from sanitizers.formats.message.text import clean, unflow
from sanitizers.formats.message.wording import words
from sanitizers.formats.message.words import header_text, plain
from sanitizers.model import Action, Malformed, Reason, Unsupported

_MARKUP: Final = re.compile(r"<[^<>]{0,100}>")
_LETTER: Final = re.compile(r"\w")


class Gatherer:
    """Walks one message. `content` is what it has gathered."""

    def __init__(self, context: Context) -> None:
        self.content = Content()
        self._context = context
        self._said: set[str] = set()  # what the text so far says, in pairs of letters
        self._choosing = 0  # inside an alternative that may not be the one that is delivered
        self._words = words(context.treatment.language)

    def gather(self, root: Part) -> Content:
        """Texts in reading order and attachments of a whole message. Raises Unsupported for a piece of one."""
        if root.main == "message/partial":
            raise Unsupported("a piece of a split message", code="mail.partial")
        self.content.texts = self._texts(root)
        return self.content

    def _texts(self, part: Part) -> list[str]:
        """The text blocks of a part in reading order; its files go to `content.attachments`."""
        if part.main.startswith("multipart/"):
            self._outside(part)
            return self._multipart(part)
        if part.children:
            return self._forwarded(part)
        if part.main in ("message/partial", "message/external-body"):
            return self._elsewhere(part)
        if part.main in media.PKCS7 or part.name.lower().endswith(".p7m"):
            return self._pkcs7(part)
        return self._leaf(part) if self._is_text(part) else self._no_text(part)

    def _no_text(self, part: Part) -> list[str]:
        """A leaf that is not shown: signatures and what only special readers show go, everything else is an attachment."""
        if part.main in media.SIGNATURES:
            self._drop_signature(part)
        elif part.main in media.NEVER_SHOWN:
            self._found("mail.resource_fork" if part.main == "application/applefile" else "mail.alternative_dropped", part)
        elif part.main in media.TNEF or _is_tnef(part):
            return self._tnef(part)
        else:
            self._attach(part)
        return []

    def _tnef(self, part: Part) -> list[str]:
        """winmail.dat: its attachments join ours, its text only where it says more than the mail around it."""
        self._found("mail.tnef", part, Action.REWRITTEN)
        content = part.content
        self._context.budget.spend_bytes(len(content))
        try:
            item = mapi.message(tnef.read(content), self._context.budget)
        except Malformed:
            self._hold(part, Reason.MALFORMED, "winmail.dat", content)
            return []
        before = self._said.copy()
        texts = self._texts(part.reread(item))
        new = set().union(*(_shingles(text) for text in texts))
        return [] if len(new - before) * 5 <= len(new) else texts

    def _is_text(self, part: Part) -> bool:
        """Shown as text: text types without a file's name or the sender's wish for an attachment."""
        if part.main in media.REPORTS:
            return True
        if not part.main.startswith("text/") and part.main not in media.HTML:
            return False
        if part.main in media.AS_FILES or part.main in media.NEVER_SHOWN:
            return False
        if part.disposition.main == "attachment":
            return not part.name
        return not part.name or part.main == "text/calendar" or not part.where or part.where.endswith("1")

    def _found(self, code: str, part: Part, action: Action = Action.REMOVED, detail: str = "") -> None:
        self._context.found(code, _label(part), action, detail)

    # multiparts

    def _multipart(self, part: Part) -> list[str]:
        if part.main == "multipart/alternative":
            return self._alternative(part)
        if part.main == "multipart/related":
            return self._related(part)
        if part.main == "multipart/signed":
            for signature in part.children[1:]:
                self._drop_signature(signature, signed.detached(signature.content, part.children[0].whole))
            return self._texts(part.children[0])
        if part.main == "multipart/encrypted":
            self._hold(part, Reason.ENCRYPTED, "encrypted.asc", b"".join(child.content for child in part.children[1:2]))
            return []
        return [text for child in part.children for text in self._texts(child)]

    def _related(self, part: Part) -> list[str]:
        start = part.type.parameter("start").strip()
        root = next((child for child in part.children if start and header_text(child.header.first("content-id")) == start), None)
        root = root or part.children[0]
        texts = self._texts(root)
        for child in part.children:
            if child is not root:
                texts += self._texts(child) if child.children else self._no_text(child)
        return texts

    def _alternative(self, part: Part) -> list[str]:
        """The text form, unless it says next to nothing of what the HTML form says, or something else."""
        plain, rich, other = [], [], []
        for child in part.children:
            leading = _leading(child)
            if leading in media.HTML:
                rich.append(child)
            elif leading == "text/plain" and child.disposition.main != "attachment":
                plain.append(child)
            else:
                other.append(child)
        texts = [text for child in plain for text in self._texts(child)]
        self._choosing += 1
        html = [text for child in rich for text in self._texts(child)]
        self._choosing -= 1
        if html:
            use_html = not plain or self._html_says_more("\n".join(texts), "\n".join(html), part)
            self._context.found(
                "mail.html_body",
                _label(rich[0]),
                Action.REWRITTEN if use_html else Action.REMOVED,
                "" if use_html else "its text alternative is delivered",
            )
            texts = html if use_html else texts
            self.content.converted = self.content.converted or use_html
            self.content.html_dropped = self.content.html_dropped or not use_html
        return texts + [text for child in other for text in self._texts(child)]

    def _html_says_more(self, plain: str, html: str, part: Part) -> bool:
        ours, theirs = _shingles(plain), _shingles(html)
        if len(theirs) < 20:
            return not ours
        if len(ours) * 4 < len(theirs):
            return True
        if len(ours & theirs) * 4 < min(len(ours), len(theirs)):
            self._found("mail.alternative_differs", part, Action.KEPT, "the text of the HTML form is delivered")
            return True
        return False

    def _outside(self, part: Part) -> None:
        """Text before the first and after the last boundary, which no mail program shows: more than a courtesy is reported."""
        for piece, place in ((part.preamble, "before the first part"), (part.epilogue, "after the last part")):
            bare = piece.strip()
            if bare and (len(bare) > 300 or b"content-" in bare.lower() or place.startswith("after")):
                self._context.scan_layer(piece, f"{_label(part)} {place}")
                self._found("mail.preamble", part, Action.REMOVED, f"{len(bare)} bytes {place}")

    # messages inside

    def _forwarded(self, part: Part) -> list[str]:
        """A message inside, as quoted text; its attachments join ours."""
        inner = part.children[0]
        lines = [self._words.forwarded]
        values = ((name, header_text(inner.header.first(name.lower()))) for name in ("From", "To", "Cc", "Date", "Subject"))
        lines += [f"{name}: {value}" for name, value in values if value and NOBODY not in value]
        body = "\n\n".join(text for text in self._texts(inner) if text)
        quoted = "\n".join("> " + line if line else ">" for line in [*lines, "", *body.split("\n")])
        return [quoted.removesuffix("\n>")]

    def _elsewhere(self, part: Part) -> list[str]:
        if part.main == "message/partial":
            self._found("mail.partial", part)
            return [self._words.partial]
        places = [part.type.parameter(name) for name in ("url", "site", "directory", "name", "access-type")]
        reference = " ".join(header_text(place.encode()) for place in places if place)[:300]
        self._found("mail.external_body", part, Action.REMOVED, reference)
        return [self._words.external.format(reference)]

    def _pkcs7(self, part: Part) -> list[str]:
        """Opaque S/MIME: what is signed is taken out and read like any other part, what is encrypted stays held."""
        content = part.content
        try:
            inside = signed.opaque(content)
        except Broken:
            self._hold(part, Reason.MALFORMED, "smime.p7m", content)
            return []
        if inside is None and part.type.parameter("smime-type").lower() == "certs-only":
            self._drop_signature(part)
            return []
        if inside is None:
            self._hold(part, Reason.ENCRYPTED, "smime.p7m", content)
            return []
        self._drop_signature(part, inside.check)
        self._context.budget.spend_bytes(len(inside.content))
        return self._texts(part.reread(inside.content))

    def _drop_signature(self, part: Part, check: Check | None = None) -> None:
        self.content.signed = True
        if check is None:
            self._found("mail.signature", part)
        elif check.intact:
            self._found("mail.signature", part, Action.REMOVED, check.signer)
            self.content.signers.append(plain(check.signer, 100))
        else:
            self._found("mail.signature_invalid", part, Action.REMOVED, check.signer)
            self.content.forged = True

    # leaves

    def _leaf(self, part: Part) -> list[str]:
        if part.main in media.HTML:
            return self._html(part)
        text = self._decoded(self._without_files(part.content, part), part)
        if part.main == "text/calendar":
            self._attach(part)
            return [summary(text, self._words.event)]
        if part.main in ("text/enriched", "text/richtext"):
            text = _MARKUP.sub("", text.replace("<<", "\0")).replace("\0", "<")
        if part.type.parameter("format").lower() == "flowed":
            text = unflow(text, part.type.parameter("delsp").lower() == "yes")
        text = self._without_armor(text, part)
        self._said |= _shingles(text)
        return [text.strip("\n")]

    def _without_files(self, body: bytes, part: Part) -> bytes:
        body, files = inline.take_out(body, _label(part), self._context.budget.expanded_left)
        for file in files:
            self._context.budget.spend_bytes(len(file.content))
            self._found("mail.uuencode", part, Action.REWRITTEN, file.name)
            self.content.attachments.append(Attachment(file.name, file.content, _label(part)))
        return body

    def _without_armor(self, text: str, part: Part) -> str:
        opened = pgp.opened(text)
        if opened.signatures:
            self._drop_signature(part)
        for block in opened.sealed:
            self._hold(part, Reason.ENCRYPTED, "encrypted.asc", block.encode("utf-8", "replace"))
        return opened.text

    def _decoded(self, body: bytes, part: Part) -> str:
        self._context.budget.spend_bytes(len(body))
        decoded = decode(body, part.type.parameter("charset") or None)
        self._context.scan_layer(decoded.text.encode("utf-8", "replace"), _label(part))
        self._unknown(decoded.replaced, part)
        return self._clean(decoded.text, part)

    def _clean(self, text: str, part: Part) -> str:
        cleaned = clean(text)
        if cleaned.controls:
            self._found("mail.control_characters", part, Action.REMOVED, f"{cleaned.controls} characters")
        if cleaned.file_lines:
            self._found("mail.begin_line", part, Action.REWRITTEN, f"{cleaned.file_lines} lines")
        return cleaned.text

    def _unknown(self, count: int, part: Part) -> None:
        if count:
            self.content.unknown += count
            self._found("mail.unknown_characters", part, Action.REWRITTEN, f"{count} characters")

    def _html(self, part: Part) -> list[str]:
        body = part.content
        self._context.budget.spend_bytes(len(body))
        decoded = decode_html(body, part.type.parameter("charset") or None)
        self._context.scan_layer(decoded.text.encode("utf-8", "replace"), _label(part))
        self._unknown(decoded.replaced, part)
        rendered = render(decoded.text, self._context.treatment.link_schemes)
        self._report(rendered, part)
        if not self._choosing:
            self.content.converted = True
            self._found("mail.html_body", part, Action.REWRITTEN)
        shown = rendered.text
        if inline.suspicious(shown):
            shown = self._without_files(shown.encode("utf-8", "replace"), part).decode("utf-8", "replace")
        shown = self._without_armor(self._clean(shown, part), part)
        self._said |= _shingles(shown)
        return [shown]

    def _report(self, rendered: Rendered, part: Part) -> None:
        for what, code, action in _MET:
            if count := rendered.met[what]:
                self._found(code, part, action, f"{count}: {rendered.examples.get(what, '')}")
        self.content.mismatches += rendered.met["link_mismatch"]
        self.content.hidden += rendered.met["hidden"]
        self.content.unseen += rendered.met["unseen"]

    def _attach(self, part: Part) -> None:
        check_names(part.disposition, part.type, part.where)
        content = part.content
        self._context.budget.spend_bytes(len(content))
        if content[:64].lstrip().startswith(pgp.SEALED.encode()):
            self._hold(part, Reason.ENCRYPTED, "encrypted.asc", content)
            return
        if part.main in media.BINHEX and self._without_files(content, part) != content:
            return
        name = part.name or self._invented(part)
        self.content.attachments.append(Attachment(name, content, _label(part)))

    def _hold(self, part: Part, reason: Reason, name: str, content: bytes) -> None:
        if reason is Reason.ENCRYPTED:
            self._found("mail.encrypted", part, Action.REMOVED)
        self.content.attachments.append(Attachment(part.name or name, content, _label(part), reason))

    def _invented(self, part: Part) -> str:
        """A name for a nameless file: what its type says, numbered."""
        number = len(self.content.attachments) + 1
        ending = media.TYPE_NAMES.get(part.main, "")
        return f"{part.main.partition('/')[0] or 'part'}{number}" + (f".{ending}" if ending else "")


_MET: Final = (
    ("active", "mail.html_active", Action.REMOVED),
    ("hidden", "mail.hidden_text", Action.REMOVED),
    ("unseen", "mail.unseen_text", Action.REWRITTEN),
    ("remote_image", "mail.remote_image", Action.REMOVED),
    ("inline_image", "mail.inline_image", Action.REMOVED),
    ("active_link", "mail.active_link", Action.REMOVED),
    ("link_mismatch", "mail.link_mismatch", Action.REWRITTEN),
)


def _label(part: Part) -> str:
    return f"part {part.where}" if part.where else "message"


def _is_tnef(part: Part) -> bool:
    """winmail.dat under another type: some servers call it a plain file."""
    return part.name.lower().endswith(".dat") and part.content.startswith(tnef.SIGNATURE)


def _leading(part: Part) -> str:
    """The type that a mail program would show for this branch: its first leaf."""
    while part.children and part.main.startswith("multipart/"):
        part = part.children[0]
    return part.main


def _shingles(text: str) -> set[str]:
    """Pairs of neighbouring letters: a rough measure of what a text says, for Japanese and English alike."""
    letters = "".join(_LETTER.findall(text[:20000])).lower()
    return {letters[at : at + 2] for at in range(len(letters) - 1)}
