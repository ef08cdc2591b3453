"""All that stands at the entrance of every face: the log-in, the second factor, one's own account."""

from __future__ import annotations

from aiohttp import web

from gateway.web.account_page import AccountPage
from gateway.web.second_factor import SecondFactorPages
from gateway.web.signin import SignIn
from gateway.web.sso_pages import SsoPages


def install(application: web.Application, signin: SignIn) -> None:
    signin.install(application)
    SecondFactorPages(signin).install(application)
    AccountPage(signin).install(application)
    if signin.accounts.sso is not None:
        SsoPages(signin, signin.accounts.sso).install(application)
