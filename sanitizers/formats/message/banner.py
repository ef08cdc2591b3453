"""The notice on top of the text: what was done to the message, in the receiver's language.

A notice that is already there is taken off first: ours, because a new one is written; somebody else's imitation, because nobody
but us may speak in this place.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sanitizers.context import Context, Outcome
from sanitizers.findings import CODES
from sanitizers.formats.message.gather import Content
from sanitizers.formats.message.links import defang
from sanitizers.formats.message.wording import EN, JA, Words, words
from sanitizers.formats.message.words import plain
from sanitizers.model import Action, Verdict

BAR: Final = "─" * 27


class Entry(NamedTuple):
    """One attachment's line: the name it came with, the name it goes out with ('' when it does not), and what happened."""

    name: str
    output: str
    result: str


def write(content: Content, links: int, entries: list[Entry], warnings: list[tuple[str, str]], context: Context) -> str:
    """The notice as lines between two bars."""
    say = words(context.treatment.language)
    receipt = plain(context.treatment.receipt_no, 100)
    lines = [BAR, say.title + (say.receipt.format(receipt) if receipt else "")]
    lines.append(say.body + say.separator.join(_body(content, links, say)))
    for number, entry in enumerate(entries, 1):
        renamed = entry.output and entry.output != entry.name
        name = entry.name + (say.arrow + entry.output if renamed else "")
        result = f"{say.opened}{entry.result}{say.closed}" if entry.output else say.arrow + entry.result
        lines.append(f"{say.attachment.format(number)} {name}{result}")
    lines += [say.warning + text for text in _warnings(content, warnings, say)]
    lines.append(BAR)
    return defang("\n".join(lines)).text


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


def _warnings(content: Content, warnings: list[tuple[str, str]], say: Words) -> list[str]:
    known = {"spoof": say.spoof, "reply_to": say.reply_to}
    lines = [known[what].format(detail) for what, detail in warnings]
    if content.mismatches:
        lines.append(say.mismatch.format(content.mismatches))
    if content.hidden:
        lines.append(say.hidden)
    if content.signed:
        lines.append(say.signature)
    if content.unknown:
        lines.append(say.unknown.format(content.unknown))
    return lines


def result_of(outcome: Outcome, say: Words) -> str:
    """What happened to one attachment, in a few words."""
    report = outcome.report
    if outcome.content is None or report.output is None:
        reason = say.reasons[report.reason] if report.reason else ""
        return (say.blocked if report.verdict is Verdict.BLOCKED else say.held).format(reason)
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


def _prefixes(say: Words) -> tuple[str, ...]:
    return say.body, say.attachment.format("").rstrip(), say.warning


_TITLES: Final = (JA.title, EN.title)
_STARTS: Final = (*_prefixes(JA), *_prefixes(EN))


def split(text: str) -> tuple[str, str]:
    """(the notices on top of a text, the text without them); only exactly our structure counts as a notice."""
    taken, at = [], 0
    while (end := _notice_end(text, at)) > at:
        taken.append(text[at:end])
        at = end
        while text.startswith("\n", at):
            at += 1
    return "\n".join(taken), text[at:]


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
