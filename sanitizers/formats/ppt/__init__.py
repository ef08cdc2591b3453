"""PowerPoint 97 to 2003 (.ppt, .pps, .pot): the tree of records read completely, and written anew from an allow-list.

Written as a ppt again, not as a pptx: a presentation is where everything stands on the slide, and its records say exactly that, while a
conversion would have to say it in other words and could only come close. The tree lends itself to it: every record has a type, a place and
a known layout, so each is made anew from the numbers and texts that its structure has room for. Records that are not on the list, bytes
that no reader reads, older revisions, the parts that no revision names and the slack of the container have no way into the new file; the
streams, the directory of parts and the table of pictures are laid out anew, as one revision.

Removes: VBA, embedded and linked objects, controls, actions that run programs, macros or objects, links of other schemes and to files,
    media, sounds, embedded fonts, programmable tags, animations that play or command something, author data, older revisions, views, all
    that hides outside the records
Keeps: slides, masters, notes, handouts, texts with their formats, shapes, tables, pictures (rebuilt), links of allowed schemes, jumps,
    transitions, animations, comments, custom shows, classification properties
Refuses: compound files or records that contradict themselves, PowerPoint 95 and older, encryption that no password opens, limits
Spec: [MS-PPT], [MS-ODRAW], [MS-CFB], [MS-OSHARED], [MS-OFFCRYPTO]
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.ppt.rebuild import rebuild
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    return rebuild(source, context)


SANITIZER: Final = Sanitizer(
    family="ppt",
    kinds=frozenset({Kind.PPT}),
    sanitize=sanitize,
    removes="VBA, OLE, controls, actions that run something, other links, media, sounds, fonts, tags, revisions, author data",
    keeps="slides, masters, notes, text, shapes, tables, pictures (rebuilt), allowed links, transitions, comments, classification marks",
    refuses="broken compound files and records, PowerPoint 95 and older, encryption that no password opens",
    spec="MS-PPT, MS-ODRAW, MS-CFB",
)
