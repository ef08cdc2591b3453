"""お知らせ and 緊急連絡網 at the desk: what staff read on their pages, and who is told of an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import papers
from gateway.caretaking import Caretaking
from gateway.model import rfc3339
from gateway.people.permissions import permitted
from gateway.people.roles import Role
from gateway.registers.papers import contact_list
from gateway.storage import announcements, contacts, documents
from gateway.storage.announcements import Announcement, NoSuchAnnouncementError, Tone
from gateway.storage.contacts import NoSuchContactError
from gateway.web.given import fields, local, moment, needed
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.words import when

_NOTES: Final = "/api/v1/announcements"
_CHAIN: Final = "/api/v1/contacts"
_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_NOTE: Final = {
    "application/json": {"schema": {"type": "object", "required": ["title", "text", "until"],
                                    "properties": {"title": _TEXT, "text": _TEXT, "tone": {"enum": [*Tone]}, "where": _TEXT,
                                                   "from": _TEXT, "until": _TEXT}}}
}  # fmt: skip
_CONTACT: Final = {"application/json": {"schema": {"type": "object", "required": ["title", "name"],
                                                   "properties": dict.fromkeys(contacts.FIELDS, _TEXT)}}}  # fmt: skip
_NOTHING: Final = {"application/json": {"schema": {"type": "object"}}}
_FAULTS: Final = {400: "not understood", 404: "not found"}
_FACES: Final = ("drop", "pickup")
_TONES: Final = {Tone.OK: "お知らせ / information", Tone.WAIT: "注意 / attention", Tone.STOP: "重要 / important"}
_WHERE: Final = {"drop": "取込み画面 / drop", "pickup": "受取り画面 / pickup"}
_LONGEST: Final = 2_000
_EMPTY: Final = dict.fromkeys(contacts.FIELDS, "") | {"minutes": "30"}
_MOST_MINUTES: Final = 1_440
_BAD: Final = "入力に誤りがあります（{}）。 / something is missing or wrong ({})"


class BulletinDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self._signin: SignIn
        self.routes: Sequence[Route] = (
            Route("GET", _NOTES, self._notes, "announcements, the youngest first", content=_ROWS),
            Route("POST", _NOTES, self._announce, "show one to staff: `where` is drop, pickup or both", 201, body=_NOTE, faults=_FAULTS),
            Route("POST", _NOTES + "/{number}/withdraw", self._withdraw, "take it down", body=_NOTHING, faults=_FAULTS),
            Route("GET", _CHAIN, self._contacts, "emergency contacts in the order of the chain", content=_ROWS),
            Route("POST", _CHAIN, self._add, "a new one", 201, body=_CONTACT, faults=_FAULTS),
            Route("POST", _CHAIN + "/{number}/{deed}", self._change, "change or remove", body=_CONTACT, faults=_FAULTS),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/announcements", "お知らせ", "Announcements")
        signin.link("/contacts", "緊急連絡網", "Contacts")
        application.router.add_get("/announcements", self._notes_page)
        application.router.add_post("/announcements", self._announce_from_page)
        application.router.add_post("/announcements/{number}/withdraw", self._withdraw_from_page)
        application.router.add_get("/contacts", self._contacts_page)
        application.router.add_post("/contacts", self._add_from_page)
        application.router.add_post("/contacts/print", self._print_from_page)
        application.router.add_post("/contacts/{number}/{deed}", self._change_from_page)

    # --------------------------------------------------------------------------------------------------- announcements

    async def _listed(self) -> list[Announcement]:
        return await self._care.journal.ask(lambda connection: announcements.listed(connection, self._care.clock()))

    async def _notes(self, _: web.Request) -> web.Response:
        now = self._care.clock()
        return web.json_response([_told(one, now) for one in await self._listed()])

    async def _announce(self, request: web.Request) -> web.Response:
        try:
            made = await self._announced(await fields(request), account_of(request).login)
        except (ValueError, KeyError):
            return problem(400)
        return web.json_response(_told(made, self._care.clock()), status=201)

    async def _announced(self, given: Mapping[str, str], who: str) -> Announcement:
        """Raises ValueError."""
        now = self._care.clock()
        title, text, until = needed(given, "title", "text", "until")
        starts = moment(given["from"]) if given.get("from", "").strip() else now
        ends, where = moment(until), given.get("where", "").strip() or "both"
        if where not in (*_FACES, "both") or ends <= max(now, starts):
            raise ValueError("until")
        faces, tone = _FACES if where == "both" else (where,), Tone(given.get("tone") or "ok")
        return await self._care.journal.write(
            lambda connection: announcements.announce(
                connection, title=title[:200], text=text[:_LONGEST], tone=tone, faces=faces, starts_at=starts, ends_at=ends, who=who, at=now
            )
        )

    async def _withdraw(self, request: web.Request) -> web.Response:
        try:
            await self._withdrawn(request)
        except (ValueError, NoSuchAnnouncementError):
            return problem(404)
        return web.json_response({"withdrawn": True})

    async def _withdrawn(self, request: web.Request) -> None:
        number, who = _number(request), account_of(request).login
        await self._care.journal.write(lambda connection: announcements.withdraw(connection, number, who=who, at=self._care.clock()))

    async def _notes_page(self, request: web.Request) -> web.Response:
        return await self._notes_shown(request)

    async def _notes_shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        now = self._care.clock()
        return self._signin.page(
            request, "announcements.html", status, error=error, keeps=_keeps(request, "/announcements"), tones=list(_TONES.items()),
            rows=[_row(one, now) for one in await self._listed()], today=local(now), week=local(now + 7 * 86_400),
        )  # fmt: skip

    async def _announce_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._announced(await fields(request), account_of(request).login)
        except (ValueError, KeyError) as error:
            return await self._notes_shown(request, 400, _BAD.format(error, error))
        raise web.HTTPSeeOther("/announcements")

    async def _withdraw_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._withdrawn(request)
        except (ValueError, NoSuchAnnouncementError):
            return await self._notes_shown(request, 404, "そのお知らせはすでに取り下げられています。 / it was taken down before")
        raise web.HTTPSeeOther("/announcements")

    # -------------------------------------------------------------------------------------------------------- contacts

    async def _contacts(self, _: web.Request) -> web.Response:
        found = await self._care.journal.ask(contacts.listed)
        return web.json_response([msgspec.to_builtins(one) | {"changed_at": rfc3339(one.changed_at)} for one in found])

    async def _add(self, request: web.Request) -> web.Response:
        try:
            made = await self._put(request, None)
        except ValueError:
            return problem(400)
        return web.json_response({"id": made}, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        try:
            await self._changed(request)
        except ValueError:
            return problem(400)
        except NoSuchContactError:
            return problem(404)
        return web.json_response({"done": True})

    async def _put(self, request: web.Request, number: int | None) -> int:
        """Raises ValueError, NoSuchContactError."""
        row, who, at = _contact(await fields(request)), account_of(request).login, self._care.clock()
        return await self._care.journal.write(lambda connection: contacts.put(connection, row, who=who, at=at, contact_id=number))

    async def _changed(self, request: web.Request) -> None:
        """Raises ValueError, NoSuchContactError."""
        number, who, at = _number(request), account_of(request).login, self._care.clock()
        match request.match_info["deed"]:
            case "change":
                await self._put(request, number)
            case "remove":
                await self._care.journal.write(lambda connection: contacts.remove(connection, number, who=who, at=at))
            case _:
                raise web.HTTPNotFound

    async def _contacts_page(self, request: web.Request) -> web.Response:
        return await self._contacts_shown(request)

    async def _contacts_shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        found = await self._care.journal.ask(contacts.listed)
        printed = await self._care.journal.ask(lambda connection: documents.listed(connection, kinds=("contacts",), limit=5))
        return self._signin.page(
            request, "contacts.html", status, error=error, keeps=_keeps(request, "/contacts"), rows=found, printed=papers.rows(printed),
            changed=max(((when(one.changed_at), one.changed_by) for one in found), default=None),
            new=_EMPTY | {"level": str(max((one.level for one in found), default=0) + 1)},
        )  # fmt: skip

    async def _add_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._put(request, None)
        except ValueError as error:
            return await self._contacts_shown(request, 400, _BAD.format(error, error))
        raise web.HTTPSeeOther("/contacts")

    async def _change_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._changed(request)
        except ValueError as error:
            return await self._contacts_shown(request, 400, _BAD.format(error, error))
        except NoSuchContactError:
            return await self._contacts_shown(request, 404, "その連絡先はすでに削除されています。 / it was removed before")
        raise web.HTTPSeeOther("/contacts")

    async def _print_from_page(self, request: web.Request) -> web.StreamResponse:
        found, who = await self._care.journal.ask(contacts.listed), account_of(request).login
        made = await papers.printed(
            self._care, lambda head: contact_list(head, found), kind="contacts", subject="contacts", title="緊急連絡網", actor=who
        )
        raise web.HTTPSeeOther(f"/documents/{made.number}")


def _keeps(request: web.Request, path: str) -> bool:
    return permitted("admin", "POST", path, Role(account_of(request).role))


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound
    return int(text)


def _contact(given: Mapping[str, str]) -> dict[str, Any]:
    """All of a contact's fields. Raises ValueError."""
    needed(given, "title", "name")
    row: dict[str, Any] = {name: " ".join(given.get(name, "").split())[:200] for name in contacts.FIELDS}
    row["level"], row["minutes"] = int(row["level"] or 0), int(row["minutes"] or 30)
    if not 0 <= row["level"] < 100 or not 1 <= row["minutes"] <= _MOST_MINUTES:
        raise ValueError("level, minutes")
    local_part, _, domain = row["mail"].rpartition("@")
    if row["mail"] and (not local_part or not domain or set(row["mail"]) & set(' <>,;"()\\')):
        raise ValueError("mail")
    return row


def _told(one: Announcement, now: float) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    for name in ("starts_at", "ends_at", "at", "withdrawn_at"):
        told[name] = None if told[name] is None else rfc3339(told[name])
    return told | {"shown": one.shown(now)}


def _row(one: Announcement, now: float) -> dict[str, Any]:
    if one.withdrawn_at is not None:
        state, tone = f"取下げ（{one.withdrawn_by}） / taken down", ""
    elif one.shown(now):
        state, tone = "掲示中 / shown", "ok"
    else:
        state, tone = ("予定 / to come", "wait") if now < one.starts_at else ("終了 / over", "")
    where = _WHERE[one.faces[0]] if len(one.faces) == 1 else "両方 / both"
    return {
        "id": one.id, "title": one.title, "text": one.text, "tone": one.tone, "tone_said": _TONES[one.tone], "said": state, "state": tone,
        "where": where, "from": when(one.starts_at), "until": when(one.ends_at), "author": one.author,
        "live": one.withdrawn_at is None and now < one.ends_at,
    }  # fmt: skip
