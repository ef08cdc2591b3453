"""The policy as a form: one table of the document at a time. What is entered becomes a draft, as an edited text does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway.admin.publishing_pages import WRITERS, Desk, may
from gateway.policy import PolicyError, load
from gateway.policy import form as forms
from gateway.policy.form import Control, Form, Path
from gateway.publishing.versions import POLICY_FILE, NotNowError, Subject
from gateway.web.signin import SignIn, account_of, posted

AT: Final = "/policy/form"
_MOVED: Final = "その間に別の版が公開されました。内容を確かめてください / another version was published meanwhile; look again"


def install(desk: Desk, application: web.Application, signin: SignIn) -> None:
    """`/policy/form?table=lanes&table=inbound`; no table is the whole house."""
    page = _Page(desk, signin)
    application.router.add_get(AT, page.show)
    application.router.add_post(AT, page.draft)


class _Page:
    def __init__(self, desk: Desk, signin: SignIn) -> None:
        self._desk = desk
        self._signin = signin

    async def show(self, request: web.Request) -> web.StreamResponse:
        path, error = tuple(request.query.getall("table", [])), ""
        if "of" in request.query:
            try:
                path = forms.place(*(request.query.get(key, "").strip() for key in ("of", "name", "organisation")))
            except PolicyError as problem:
                error = str(problem)
        return await self._shown(request, path, error=error)

    async def draft(self, request: web.Request) -> web.StreamResponse:
        if not may(account_of(request), WRITERS):
            raise web.HTTPForbidden
        entered = await posted(request)
        fields = {name: value for name, value in entered.items() if isinstance(value, str)}
        path, text = tuple(str(name) for name in entered.getall("table", [])), await self._text()
        try:
            if fields.get("base") != _digest(text):
                raise PolicyError(_MOVED)
            made = forms.without(text, path) if "without" in fields else forms.changed(text, path, _answers(forms.form(text, path), fields))
            actor, note = account_of(request).login, fields.get("note", "").strip()
            version = await self._desk.publishing.draft(Subject.POLICY, {POLICY_FILE: made}, actor=actor, note=note)
        except (NotNowError, ValueError) as error:
            return await self._shown(request, path, entered=fields, error=str(error), status=409)
        raise web.HTTPSeeOther(f"/policy/versions/{version.id}")

    async def _text(self) -> str:
        return (await self._desk.publishing.files_in_force(Subject.POLICY) or {}).get(POLICY_FILE, "")

    async def _shown(
        self, request: web.Request, path: Path, *, entered: Mapping[str, str] | None = None, error: str = "", status: int = 200
    ) -> web.StreamResponse:
        text = await self._text()
        try:
            shown = forms.form(text, path)
        except PolicyError:
            raise web.HTTPNotFound from None    # the address names no table that a document can have
        return self._signin.page(
            request,
            "policy_form.html",
            status,
            form=shown,
            tables=forms.tables(load(text)),
            places=forms.PLACES,
            base=_digest(text),
            entered=entered,
            writes=may(account_of(request), WRITERS),
            error=error,
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _answers(form: Form, fields: Mapping[str, str]) -> dict[str, str | None]:
    """What was entered for the rows of the form; nothing else is looked at."""
    answers: dict[str, str | None] = {}
    for row in form.rows:
        answer = fields.get(row.key, "")
        says = f"says.{row.key}" in fields if row.control in (Control.TEXT, Control.LIST) else bool(answer.strip())
        answers[row.key] = answer if says else None
    return answers
