"""The notice on top of the text, or at its end: what was done to the message, in the receiver's language.

A notice that is already there is taken off first: ours, because a new one is written; somebody else's imitation, because nobody
but us may speak in these places.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.context import Context, Outcome
from sanitizers.findings import CODES
from sanitizers.formats.message.content import Content
from sanitizers.formats.message.links import defang
from sanitizers.formats.message.wording import EN, JA, Words, words
from sanitizers.formats.message.words import plain
from sanitizers.model import Action, Kind, Reason, Report, Verdict

BAR: Final = "─" * 27
PROGRAMS: Final = frozenset((Kind.PE, Kind.ELF, Kind.MACHO, Kind.MSI, Kind.JAR, Kind.CLASS))


class Entry(NamedTuple):
    """One attachment's line: the name it came with, the name it goes out with ('' when it does not), and what happened."""

    name: str
    output: str
    result: str
    waits: bool = False  # for a person to look at it


def write(content: Content, links: int, entries: list[Entry], warnings: list[tuple[str, str]], context: Context) -> str:
    """The notice as lines between two bars."""
    say = words(context.treatment.language)
    receipt = plain(context.treatment.receipt_no, 100)
    organisation = plain(context.treatment.organisation, 100)
    title = say.title + (say.receipt.format(receipt) if receipt else "") + (say.for_whom.format(organisation) if organisation else "")
    lines = [BAR, title, *_authentication(context, say)]
    lines.append(say.body + say.separator.join(_body(content, links, say)))
    for number, entry in enumerate(entries, 1):
        renamed = entry.output and entry.output != entry.name
        name = entry.name + (say.arrow + entry.output if renamed else "")
        result = f"{say.opened}{entry.result}{say.closed}" if entry.output else say.arrow + entry.result
        lines.append(f"{say.attachment.format(number)} {name}{result}")
    lines += [say.warning + text for text in _warnings(content, warnings, say)]
    if any(entry.waits for entry in entries):
        lines.append(say.waiting + say.waiting_how)
    if until := _day(context.treatment.original_until, say):
        lines.append(say.until + until)
    # Our own address alone stays alive: it comes from the settings, never from the mail.
    return "\n".join([defang("\n".join(lines)).text, *_page_to_open(context, say), BAR])


def _body(content: Content, links: int, say: Words) -> list[str]:
    done = []
    if content.converted:
        done.append(say.body_html)
    elif content.html_dropped:
        done.append(say.body_plain)
    elif any(text.strip() for text in content.texts):
        done.append(say.body_same)
    else:
        done.append(say.body_none)
    if links:
        done.append(say.links.format(links))
    return done


def _authentication(context: Context, say: Words) -> list[str]:
    """What the road found out about the sender; a failure is pointed out, and so is a sender of another domain on the envelope."""
    found = context.job.authentication
    if found is None or context.depth:
        return []
    methods = (("SPF", found.spf), ("DKIM", found.dkim), ("DMARC", found.dmarc), ("ARC", found.arc))
    shown = [f"{name} {say.results[result]}" for name, result in methods if result in say.results]
    if not shown:
        return [say.authentication + say.unchecked]
    failed = found.dmarc == "fail" or (found.dmarc != "pass" and "fail" in (found.spf, found.dkim))
    lines = [say.authentication + say.slash.join(shown) + (say.beware if failed else "")]
    author = context.mail.author.rpartition("@")[2].rstrip("> ").lower() if context.mail else ""
    sender = plain(found.sender, 254)
    if author and "@" in sender and sender.rpartition("@")[2].lower() != author:
        lines.append(say.envelope + sender)
    return lines


def _page_to_open(context: Context, say: Words) -> list[str]:
    """Where a reader opens what is locked, in as few clicks as there can be."""
    url, receipt = context.treatment.pickup_url, context.treatment.receipt_no
    locked = any(part.reason is Reason.ENCRYPTED for report in context.parts for part in report.tree())
    return [f"{say.opening_page}{url.rstrip('/')}/transfers/{receipt}"] if url and receipt and locked else []


def _day(text: str, say: Words) -> str:
    """A day as its readers write it: 令和8年12月20日."""
    match = re.match(r"(20\d\d)-(\d\d)-(\d\d)", text)
    if match is None:
        return ""
    year, month, day = (int(number) for number in match.groups())
    return say.day.format(year=year, era=year - 2018, month=month, day=day)


def _warnings(content: Content, warnings: list[tuple[str, str]], say: Words) -> list[str]:
    known = {"spoof": say.spoof, "reply_to": say.reply_to, "password": say.opened_by, "turned": say.turned}
    lines = [known[what].format(detail) for what, detail in warnings]
    if content.mismatches:
        lines.append(say.mismatch.format(content.mismatches))
    if content.hidden:
        lines.append(say.hidden)
    if content.forged:
        lines.append(say.forged_signature)
    lines += [say.signer.format(signer) for signer in dict.fromkeys(content.signers)]
    if content.signed:
        lines.append(say.signature)
    if content.unseen:
        lines.append(say.unseen.format(content.unseen))
    if content.unknown:
        lines.append(say.unknown.format(content.unknown))
    return lines


def result_of(outcome: Outcome, say: Words) -> str:
    """What happened to one attachment, in a few words."""
    report = outcome.report
    if outcome.content is None or report.output is None:
        return _not_delivered(report, say)
    codes: dict[Action, list[str]] = {Action.REMOVED: [], Action.REWRITTEN: []}
    for finding in report.findings:
        text = CODES[finding.code].en if say is EN else CODES[finding.code].ja
        if finding.action in codes and text not in codes[finding.action]:
            codes[finding.action].append(text)
    done = [
        pattern.format(say.separator.join(texts[:4]))
        for pattern, texts in ((say.removed, codes[Action.REMOVED]), (say.changed, codes[Action.REWRITTEN]))
        if texts
    ]
    return say.separator.join(done) or (say.unchanged if report.verdict is Verdict.CLEAN else say.rebuilt)


def _not_delivered(report: Report, say: Words) -> str:
    if report.reason is Reason.ENCRYPTED:
        return say.reasons[Reason.ENCRYPTED]
    if report.reason is Reason.FORBIDDEN_KIND and report.input.kind in PROGRAMS:
        return say.executable
    reason = say.reasons[report.reason] if report.reason else ""
    return (say.blocked if report.verdict is Verdict.BLOCKED else say.held).format(reason)


def _prefixes(say: Words) -> tuple[str, ...]:
    attachment = say.attachment.format("").rstrip()
    return say.body, attachment, say.warning, say.authentication, say.envelope, say.until, say.waiting, say.opening_page


_TITLES: Final = (JA.title, EN.title)
_STARTS: Final = (*_prefixes(JA), *_prefixes(EN))


def split(text: str) -> tuple[str, str]:
    """(the notices on top of a text and at its end, the text without them); only exactly our structure counts as a notice."""
    taken, at = [], 0
    while (end := _notice_end(text, at)) > at:
        taken.append(text[at:end])
        at = end
        while text.startswith("\n", at):
            at += 1
    text = text[at:].rstrip("\n")
    end = len(text)
    while (start := _last_notice(text, end)) < end:
        taken.append(text[start:end])
        end = start
        while text.endswith("\n", 0, end):
            end -= 1
    return "\n".join(taken), text[:end]


def _notice_end(text: str, at: int) -> int:
    """Where the notice that begins at `at` ends; `at` itself when there is none."""
    if not text.startswith(BAR + "\n", at):
        return at
    end = text.find("\n" + BAR, at + len(BAR))
    if end < 0:
        return at
    lines = text[at + len(BAR) + 1 : end].split("\n")
    if not lines[0].startswith(_TITLES) or not all(line.startswith(_STARTS) for line in lines[1:]):
        return at
    return end + 1 + len(BAR)


def _last_notice(text: str, end: int) -> int:
    """Where the notice that ends at `end` begins; `end` itself when there is none."""
    if not text.endswith("\n" + BAR, 0, end):
        return end
    start = text.rfind(BAR + "\n", 0, end - len(BAR))
    at_line = start == 0 or (start > 0 and text[start - 1] == "\n")
    return start if at_line and _notice_end(text, start) == end else end
