"""Words that were read out of a document, sent round the engine as a text: what is hidden in them is the business of that family."""

from __future__ import annotations

from sanitizers import names
from sanitizers.context import Context, Rebuilt
from sanitizers.model import Action, Kind, Unsupported


def rebuilt(words: str, code: str, context: Context, detail: str = "") -> Rebuilt:
    """`words`: lines end with CRLF. `code`: of the finding that says what became of the document. Raises Unsupported, LimitExceeded."""
    name = names.with_extension(context.name, Kind.TEXT)
    outcome = context.embed(name, words.encode("utf-8", "replace"), name)
    if outcome.content is None or outcome.report.output is None or outcome.report.output.kind is not Kind.TEXT:
        raise Unsupported("the words are no plain text", where=name)
    context.found(code, "", Action.REWRITTEN, detail)
    return Rebuilt(outcome.content, Kind.TEXT)
