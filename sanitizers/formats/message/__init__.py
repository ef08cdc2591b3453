"""Mail: a message comes in, a new one goes out that says the same and can do nothing.

Removes: HTML (converted to text), scripts, hidden text, remote images, live links, header fields of machines, signatures.
Keeps: who, to whom, when, subject, threads, the text in reading order, and every attachment that the engine delivers.
Refuses: structures that mail programs read differently, pieces of split messages, messages beyond the limits.
Spec: RFC 5322, RFC 2045-2047, RFC 2231, RFC 2387, RFC 3676, RFC 1847; MS KB167393 (uuencode in text); MS-OXMSG, MS-OXTNEF.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers import names
from sanitizers.context import Context, Outcome, Rebuilt
from sanitizers.findings import CODES
from sanitizers.formats.message import banner, forwarded, mapi, outlook, passwords, rescue, tnef, trace
from sanitizers.formats.message.banner import Entry
from sanitizers.formats.message.compose import File, charset_for, compose
from sanitizers.formats.message.content import Attachment, Content
from sanitizers.formats.message.envelope import Envelope, facts
from sanitizers.formats.message.gather import Gatherer
from sanitizers.formats.message.header import Header, read_header
from sanitizers.formats.message.links import defang
from sanitizers.formats.message.reader import Reader
from sanitizers.formats.message.wording import words
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Finding, Kind, Malformed, PartInfo, Reason, Report, Verdict
from sanitizers.source import Source

RESULT: Final = "x-sekisho-result"
_MAIL_FIELDS: Final = frozenset(("from", "to", "subject", "date", "message-id", "received", "content-type", "mime-version"))
_DANGEROUS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\\.\\.[/\\\\]")
_TURNED: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PASSWORD: Final = re.compile(r"パスワード|ﾊﾟｽﾜｰﾄﾞ|暗証|解凍キー|\bpass(?:word|code|phrase)?\b", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[^A-Za-z0-9._:+-]")


def sanitize(source: Source, context: Context) -> Rebuilt:
    data = _as_message(source, context)
    try:
        return _rebuilt(data, context)
    except Malformed as refusal:
        if refusal.code == "mail.ambiguous":
            rescue.scan(data, context)
        raise


def _as_message(source: Source, context: Context) -> bytes:
    """The bytes of an internet message; Outlook's own formats are first said in one."""
    if context.kind is Kind.EML:
        return source.bytes()
    if context.kind is Kind.TNEF:
        context.found("mail.tnef", "", Action.REWRITTEN)
        return mapi.message(tnef.read(source.bytes()), context.budget)
    context.found("mail.outlook", "", Action.REWRITTEN)
    return mapi.message(outlook.read(source, context.budget), context.budget)


def _rebuilt(data: bytes, context: Context) -> Rebuilt:
    header, _ = read_header(data, 0, len(data))
    if not any(entry.name in _MAIL_FIELDS for entry in header.fields):
        raise Malformed("no header of a message")
    context.mail = facts(header)
    _forwarded(header, context)
    reader = Reader()
    root = reader.read(data)
    if reader.bare_cr:
        context.found("mail.bare_newline", "message", Action.REWRITTEN, f"{reader.bare_cr} bare CR")
    content = Gatherer(context).gather(root)
    said = "\n".join(content.texts)
    if context.treatment.mail_passwords_tried and not context.second_pass:
        context.passwords_seen.update(dict.fromkeys(passwords.candidates(said)))
    body, links = _body(content, bool(header.first(RESULT)), context)
    files, entries, tokens = _attachments(content.attachments, context)
    envelope = Envelope(header, context)
    if content.converted or content.html_dropped:
        tokens.add("CHG_TEXT")
    if links:
        tokens.add("REP_LINK")
    warnings = [*envelope.warnings, *_suspicions(content, said, context)]
    blocks = [banner.write(content, links, entries, warnings, context), body or words(context.treatment.language).empty]
    text = "\n\n".join(reversed(blocks) if context.treatment.mail_notice_at_end else blocks) + "\n"
    charset = charset_for(context.treatment.mail_charset, text + envelope.said + "".join(file.name for file in files))
    if charset != context.treatment.mail_charset:
        context.found("mail.charset", "message", Action.KEPT, "delivered in UTF-8")
    lines = [*trace.lines(header, context), *envelope.lines(charset), _result(tokens, context)]
    return Rebuilt(Source(compose(lines, text, files, charset)), Kind.EML)


def _forwarded(header: Header, context: Context) -> None:
    """Of a mail that the post brought, not of a file that somebody brought himself. The road holds what is found here."""
    if context.treatment.mail_forwards_held and context.job.door == "smtp" and not context.depth:
        for name, detail in forwarded.marks(header, context.treatment.mail_author_domains):
            context.found("mail.forwarded", name, Action.KEPT, detail)


def _suspicions(content: Content, said: str, context: Context) -> list[tuple[str, str]]:
    """What a reader should be told about the attachments: (the warning's name, its detail)."""
    found = []
    if any(part.reason is Reason.ENCRYPTED for part in context.parts) and _PASSWORD.search(said):
        found.append(("password", ""))
    turned = (attachment.name for attachment in content.attachments if _TURNED.search(attachment.name))
    return found + [("turned", names.safe(name, "attachment")) for name in turned]


def _body(content: Content, through_us: bool, context: Context) -> tuple[str, int]:
    """All text blocks, without a notice on top of them, links made harmless; and the number of those."""
    text = "\n\n".join(block for block in (text.strip("\n") for text in content.texts) if block.strip())
    notice, text = banner.split(text)
    content.texts = [text]
    if notice and not through_us:
        context.found("mail.forged_banner", "message", Action.REWRITTEN)
        text = "\n".join("> " + line for line in notice.split("\n")) + "\n\n" + text
    if not context.treatment.mail_links_defanged:
        return text, 0
    text, links = defang(text)
    if links:
        context.found("mail.link", "message", Action.REWRITTEN, f"{links} links")
    return text, links


def _attachments(attachments: list[Attachment], context: Context) -> tuple[list[File], list[Entry], set[str]]:
    """Each attachment round the engine: files to attach, lines for the notice, words for the result header."""
    say = words(context.treatment.language)
    files: list[File] = []
    entries: list[Entry] = []
    tokens: set[str] = set()
    taken: set[str] = set()
    for attachment in attachments:
        name = names.safe(attachment.name, "attachment")
        if _dangerous(attachment.name):
            context.found("file.unsafe_name", f"{attachment.where}/{name}", Action.REWRITTEN)
        where = f"{attachment.where}/{name}"
        if not context.treatment.mail_attachments:
            context.found("mail.attachment_dropped", where, Action.REMOVED, "mode without attachments")
            entries.append(Entry(name, "", say.listed_only))
            tokens.add("DEL_ATTACH")
            continue
        outcome = _held(name, attachment, context) if attachment.reason else context.embed(name, attachment.content, where)
        report = outcome.report
        if outcome.content is None or report.output is None:
            tokens.add("DEL_ATTACH" if report.verdict is Verdict.BLOCKED else "HOLD")
            context.found("mail.attachment_dropped", where, Action.REMOVED, report.reason or "")
            sealed = attachment.reason is Reason.ENCRYPTED  # with somebody's key: no password opens it
            result = say.sealed if sealed else banner.result_of(outcome, say)
            entries.append(Entry(name, "", result, waits=sealed or _waits(report)))
            continue
        output = _unique(names.with_extension(name, report.output.kind), taken)
        tokens.add("CDR")
        files.append(File(output, outcome.content, report.output.kind))
        entries.append(Entry(name, output, banner.result_of(outcome, say)))
    return files, entries, tokens


def _held(name: str, attachment: Attachment, context: Context) -> Outcome:
    """A part that nobody here can read: reported like one that the engine held."""
    assert attachment.reason is not None
    content = Source(attachment.content)
    context.budget.spend_part()
    code = "file.encrypted" if attachment.reason is Reason.ENCRYPTED else "file.malformed"
    report = Report(
        path=name,
        verdict=Verdict.HELD,
        reason=attachment.reason,
        input=PartInfo(name=name, size=len(content), sha256=content.sha256, kind=Kind.UNKNOWN),
        output=None,
        findings=(Finding(code=code, severity=CODES[code].severity, action=Action.REFUSED, where=attachment.where),),
    )
    context.parts.append(report)
    return Outcome(report, None)


def _waits(report: Report) -> bool:
    """Held for a person; a password is entered by the reader alone."""
    return report.verdict is Verdict.HELD and report.reason is not Reason.ENCRYPTED


def _dangerous(name: str) -> bool:
    """A name that tries something: turns the writing direction, carries controls, or climbs out of its folder."""
    return _DANGEROUS.search(name) is not None


def _unique(name: str, taken: set[str]) -> str:
    """The name, or `name (2).ext`: two attachments of one name are told apart by number."""
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    number, unique = 1, name
    while unique.lower() in taken:
        number += 1
        unique = f"{stem} ({number}){dot}{ending}"
    taken.add(unique.lower())
    return unique


def _result(tokens: set[str], context: Context) -> str:
    """The header that filters of mail programs can act on."""
    order = ("CHG_TEXT", "REP_LINK", "CDR", "DEL_ATTACH", "HOLD")
    parts = [" ".join(token for token in order if token in tokens) or "NONE"]
    for key, value in (("id", context.treatment.receipt_no), ("policy", context.job.policy)):
        if value:
            parts.append(f"{key}={_TOKEN.sub('_', value)[:100]}")
    return "X-Sekisho-Result: " + "; ".join(parts)


SANITIZER: Final = Sanitizer(
    family="message",
    kinds=frozenset((Kind.EML, Kind.MSG, Kind.TNEF)),
    sanitize=sanitize,
    removes="HTML (converted to text), scripts, hidden text, remote images, live links, foreign header fields, signatures",
    keeps="sender, recipients, subject, date, thread, the text in reading order, every attachment that can be sanitized",
    refuses="structures that mail programs read differently, pieces of split messages",
    spec="RFC 5322, RFC 2045-2047, RFC 2231, RFC 3676, MS-OXMSG, MS-OXTNEF",
)
