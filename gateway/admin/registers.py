"""The desks of the registers, of the audit record and of reports, all of which stand on one caretaking."""

from __future__ import annotations

from gateway.admin.audit import AuditDesk
from gateway.admin.bulletin import BulletinDesk
from gateway.admin.incidents import IncidentsDesk
from gateway.admin.inspections import InspectionsDesk
from gateway.admin.papers import PapersDesk
from gateway.admin.reports import ReportsDesk
from gateway.caretaking import Caretaking
from gateway.web.desks import Desk


def desks(care: Caretaking) -> list[Desk]:
    """In the order of the menu."""
    return [IncidentsDesk(care), InspectionsDesk(care), AuditDesk(care), ReportsDesk(care), BulletinDesk(care), PapersDesk(care)]
