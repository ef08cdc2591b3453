"""Attached files (ISO 32000-2 §7.11.4, §14.13): left behind and named, or sent round the engine and attached again if policy says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers import names
from sanitizers.formats.pdf import trees
from sanitizers.formats.pdf.files import file_name, text, text_string
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.model import Action, Encrypted

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_KEYS: Final = ("UF", "F", "DOS", "Mac", "Unix")
_MOST: Final = 10_000


def listed(copier: Copier, value: Value) -> None:
    """The files in the name tree EmbeddedFiles."""
    for key, specification in trees.walk(copier.reader, value, "Names"):
        _file(copier, specification, "catalog/Names/EmbeddedFiles", text(key))


def met(copier: Copier, value: Value, where: str) -> None:
    """A file specification or an array of them, wherever one stands: AF of any object, FS of an annotation."""
    found = copier.resolve(value)
    for specification in found[:_MOST] if isinstance(found, list) else [value]:
        _file(copier, specification, where, "")


def tree(copier: Copier) -> Ref | None:
    """The new name tree EmbeddedFiles, or None when nothing is attached."""
    return trees.write(copier.writer, sorted(copier.attached.items()), "Names") if copier.attached else None


def _file(copier: Copier, specification: Value, where: str, key: str) -> None:
    """Each stream of a file specification; most have the same one under two names. One that was met before is not met again."""
    fields = copier.reader.dictionary(specification)
    if _is_payload(copier, fields):
        raise Encrypted("only the wrapper of an encrypted document: the rights service that made it must open it", where=where)
    name = file_name(copier, fields) or key
    streams = copier.reader.dictionary(fields.get("EF"))
    found = [stream for stream in (copier.resolve(streams.get(key)) for key in _KEYS) if isinstance(stream, Stream)]
    if not found:
        copier.drop("pdf.embedded_file", f"{where}/{name[:60] or '?'}", f"{name or '?'}, a name without a file")
    for stream in found:
        if stream.ref not in copier.files:
            copier.files.add(stream.ref)
            _stream(copier, stream, fields, f"{where}/attachment {len(copier.files)}", name or "attachment")


def _is_payload(copier: Copier, fields: Dictionary) -> bool:
    """An encrypted document inside a wrapper (§7.6.7), of which only the wrapper could be delivered."""
    return "EP" in fields or copier.resolve(fields.get("AFRelationship")) == "EncryptedPayload"


def _stream(copier: Copier, stream: Stream, fields: Dictionary, where: str, name: str) -> None:
    data = copier.content_of(stream, where)
    if data is None:
        copier.drop("pdf.embedded_file", where, name)
        return
    if not copier.context.treatment.pdf_attachments:
        copier.drop("pdf.embedded_file", where, f"{name}, {len(data)} bytes")
        return
    safe = names.safe(name, "attachment")
    outcome = copier.context.embed(safe, data, where)
    if outcome.content is None or outcome.report.output is None:
        copier.drop("pdf.embedded_file", where, f"{name}, {len(data)} bytes: {outcome.report.reason}")
        return
    if safe != name:
        copier.context.found("file.unsafe_name", where, Action.REWRITTEN, name)
    _attach(copier, outcome.report.output.name, outcome.content.bytes(), fields)


def _attach(copier: Copier, name: str, data: bytes, fields: Dictionary) -> None:
    """A new file specification; two files of one name are told apart by a number."""
    key = text_string(names.numbered(name, copier.taken))
    stream = copier.writer.add_deflated({"Type": Name("EmbeddedFile"), "Params": {"Size": len(data)}}, data)
    new: Dictionary = {"Type": Name("Filespec"), "F": key, "UF": key, "EF": {"F": stream, "UF": stream}}
    description = copier.resolve(fields.get("Desc"))
    if isinstance(description, bytes):
        new["Desc"] = description
    copier.attached[key] = copier.writer.add(new)
