"""The administration's menu: what belongs together stands together, in the order in which a day needs it."""

from __future__ import annotations

from typing import Final

from gateway.web.signin import Group

MENU: Final = (
    Group("転送", "Transfers", ("/transfers", "/requests", "/exceptions", "/emergency")),
    Group("検知・ポリシー", "Rules and policy", ("/rules", "/policy")),
    Group("事案・連絡", "Incidents", ("/incidents", "/announcements", "/contacts")),
    Group("監査・報告", "Audit, reports", ("/audit", "/inspections", "/conformity", "/reports")),
    Group("利用者・権限", "People", ("/people", "/departments", "/reviews", "/visits")),
    Group("運用", "Operation", ("/drills", "/monitored")),
)
