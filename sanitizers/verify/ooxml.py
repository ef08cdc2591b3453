"""The second opinion on Office packages: zipfile, expat and plain searches over the written bytes; nothing of the code that wrote them."""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind
from sanitizers.source import Source
from sanitizers.verify import doc, ooxml_markup, ooxml_meaning, ooxml_package, xls
from sanitizers.verify.parts import Parts


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything active, foreign, dangling or lost."""
    package = ooxml_package.read(output.bytes())
    ooxml_package.check(package, context.treatment.link_schemes)
    parts = Parts(context)
    for name, content in package.parts.items():
        if not ooxml_package.is_xml(name):
            parts.check(content, name)
        else:
            identities = frozenset(ooxml_package.relationships_of(name, package))
            ooxml_markup.check(name, content, identities, context.treatment.link_schemes)
    if context.kind is Kind.XLS:
        xls.compare(package.parts, original)
    elif context.kind is Kind.DOC:
        doc.compare(package.parts, original, deleted_kept=context.treatment.comments_kept)
    else:
        ooxml_meaning.compare(package.parts, original)


VERIFIERS: Final = dict.fromkeys(ooxml_package.MAIN, verify)
