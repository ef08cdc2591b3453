"""The face of the administration: a sign-in, and a desk for each subject."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.admin.menu import MENU
from gateway.people.accounts import Accounts
from gateway.web import entrance
from gateway.web.desks import Desk
from gateway.web.face import Readiness, face
from gateway.web.routes import install
from gateway.web.signin import SignIn


def admin(accounts: Accounts, readiness: Readiness, desks: Sequence[Desk], *, jail: bool) -> web.Application:
    """What a listener serves."""
    signin = SignIn(accounts, "admin", "管理 / Administration", jail=jail)
    signin.groups = MENU
    application = face(readiness)
    entrance.install(application, signin)
    install(application, "admin", [route for desk in desks for route in desk.routes])
    for desk in desks:
        desk.install(application, signin)
    return application
