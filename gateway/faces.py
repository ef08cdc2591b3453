"""The three faces of an installation, each with its desks, built from the parts of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from gateway import fittings
from gateway.admin import registers
from gateway.admin.app import admin
from gateway.admin.care import CareDesk
from gateway.admin.conformity import ConformityDesk
from gateway.admin.emergency import EmergencyDesk
from gateway.admin.originals import OriginalsDesk
from gateway.admin.overview import OverviewDesk
from gateway.admin.people import PeopleDesk
from gateway.admin.publishing import PublishingDesk
from gateway.admin.reviews import ReviewsDesk
from gateway.admin.transfers import TransfersDesk
from gateway.admin.visits import VisitsDesk
from gateway.caretaking import Caretaking
from gateway.config import Config
from gateway.conformity.facts import Gathering
from gateway.crossing.segments import receipt_keys
from gateway.doctor.flows import Way, flows
from gateway.drop.app import Drop
from gateway.overview import Overview
from gateway.people.accounts import Accounts
from gateway.people.reviews import Reviews
from gateway.people.staff import Staff
from gateway.pickup.app import Pickup
from gateway.policy import Policy
from gateway.publishing.in_force import InForce
from gateway.publishing.requests import PublishingRequests
from gateway.publishing.trials import Trials
from gateway.publishing.versions import Publishing
from gateway.receipts import Signer
from gateway.requests.approvals import Approvals
from gateway.requests.asking import Asking
from gateway.requests.bringing import Bringing
from gateway.requests.disposing import Disposing
from gateway.requests.exceptions import Exceptions
from gateway.requests.operating import Operating
from gateway.requests.unlocking import Unlocking
from gateway.requests.visits import Visits
from gateway.road.boxes import Boxes
from gateway.road.pipeline import Pipeline
from gateway.road.previews import Previews
from gateway.road.uploads import Uploads
from gateway.scanners.panel import Panel
from gateway.shares.document import Share
from gateway.storage.blobs import Blobs
from gateway.storage.journal import Journal
from gateway.web.announced import Announced
from gateway.web.approval_pages import ApprovalPages
from gateway.web.desks import Desk
from gateway.web.events import Events
from gateway.web.exception_pages import ExceptionPages
from gateway.web.face import Listener
from gateway.web.preview_desks import Looking, looks

# The roles that others connect to.
_TAKING_IN = frozenset({"smtp", "drop", "pickup", "admin", "gate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the faces stand on. `ready`: what stops the service, empty if nothing; `taken_in` and `work_to_do` wake those who do it."""

    settings: Config
    journal: Journal
    blobs: Blobs
    accounts: Accounts
    approvals: Approvals
    exceptions: Exceptions
    disposing: Disposing
    publishing: Publishing
    trials: Trials
    panel: Panel
    pipeline: Pipeline
    signer: Signer
    shares: Mapping[str, Share]
    previews: Previews
    in_force: InForce
    care: Caretaking
    ready: Callable[[], Awaitable[list[str]]]
    taken_in: Callable[[], None]
    work_to_do: Callable[[], None]
    clock: Callable[[], float]


def listeners(parts: Parts, roles: frozenset[str]) -> list[Listener]:
    """One for each face that is among the roles, not started."""
    faces = {"drop": _drop, "pickup": _pickup, "admin": _administration}
    shared = _shared(parts)
    return [Listener(build(shared), parts.settings[f"{role}.listen"]) for role, build in faces.items() if role in roles]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What more than one face has in hand."""

    parts: Parts
    unlocking: Unlocking
    operating: Operating
    events: Events
    boxes: Boxes
    looking: Looking


def _shared(parts: Parts) -> _Shared:
    journal, clock = parts.journal, parts.clock
    return _Shared(
        parts,
        Unlocking(journal, parts.pipeline, clock),
        Operating(journal, parts.signer, clock, parts.pipeline, parts.work_to_do),
        Events(journal, parts.pipeline.progress),
        fittings.boxes(parts.settings, journal, clock),
        Looking(parts.previews, journal, parts.approvals, clock),
    )


def _drop(shared: _Shared) -> web.Application:
    parts, operating = shared.parts, shared.operating
    settings, journal, clock = parts.settings, parts.journal, parts.clock
    asking = Asking(journal, parts.approvals, operating, pipeline=parts.pipeline, blobs=parts.blobs, clock=clock)
    shares = {one.address: one.title for one in parts.shares.values()}
    return Drop(
        _uploads(parts),
        journal,
        shared.unlocking,
        parts.accounts,
        unfinished=fittings.unfinished(settings),
        readiness=parts.ready,
        events=shared.events,
        asking=(parts.approvals, asking),
        bringing=Bringing(journal, parts.approvals, operating, fittings.usage(settings), shares, boxes=shared.boxes),
        desks=[
            ApprovalPages(parts.approvals, looks=partial(looks, journal)),
            ExceptionPages(parts.exceptions, clock),
            *shared.looking.of_drop(originals=settings["drop.preview"]),
            Announced(journal, clock),
        ],
        jail=settings["jail.required"],
    ).application


def _pickup(shared: _Shared) -> web.Application:
    parts = shared.parts
    settings, journal, clock = parts.settings, parts.journal, parts.clock
    return Pickup(
        parts.blobs,
        journal,
        shared.unlocking,
        parts.accounts,
        parts.ready,
        clock=clock,
        events=shared.events,
        days=settings["pickup.days"],
        public_key=receipt_keys(settings, parts.signer),
        boxes=shared.boxes,
        desks=[*shared.looking.of_pickup(), Announced(journal, clock)],
        jail=settings["jail.required"],
    ).application


def _administration(shared: _Shared) -> web.Application:
    parts = shared.parts
    desks = [*_desks(parts, shared.operating), *shared.looking.of_admin()]
    return admin(parts.accounts, parts.ready, desks, jail=parts.settings["jail.required"])


def _uploads(parts: Parts) -> Uploads:
    return Uploads(
        parts.blobs,
        parts.journal,
        parts.clock,
        parts.taken_in,
        most=parts.in_force.policy.limits.input_bytes,
        organisation=parts.settings["service.organisation"],
        lane=parts.settings["lane.name"],
    )


def _desks(parts: Parts, operating: Operating) -> list[Desk]:
    journal, clock = parts.journal, parts.clock
    requests = PublishingRequests(parts.publishing, parts.approvals)
    disposing = parts.disposing if parts.settings["approvals.disposal"] else None
    return [
        OverviewDesk(journal, overview(parts)),
        ConformityDesk(parts.journal, _gathering(parts)),
        OriginalsDesk(journal, parts.blobs, parts.approvals, clock, four_eyes=parts.settings["policy.four_eyes"]),
        TransfersDesk(journal, operating, clock, disposing),        # after the one before it: any other word is a deed
        PublishingDesk(journal, parts.publishing, parts.trials, requests, clock),
        ApprovalPages(parts.approvals, overseen=True, looks=partial(looks, journal)),
        PeopleDesk(parts.accounts, Staff(journal, clock, parts.settings["service.organisation"]), clock),
        ExceptionPages(parts.exceptions, clock),
        ReviewsDesk(Reviews(journal, parts.accounts, clock), clock),
        VisitsDesk(Visits(journal, parts.approvals, clock), parts.accounts, clock),
        CareDesk(journal, clock),
        EmergencyDesk(journal, clock, parts.work_to_do),
        *registers.desks(parts.care),
    ]


def overview(parts: Parts) -> Overview:
    """The figures and lights of the first page of the administration."""
    def versions() -> dict[str, str]:
        workers = parts.in_force.workers
        return {"walls": "、".join(workers.walls), "rules": workers.rules_version, "policy": parts.in_force.policy.version}

    folder = parts.settings.path("storage.path")
    return Overview(
        parts.journal,
        parts.panel,
        versions=versions,
        ready=parts.ready,
        folder=folder,
        clock=parts.clock,
        shown=fittings.certificates_shown(parts.settings),
        inner=any(parts.settings[f"crossing.{how}"] for how in ("listen", "folder", "address")),
    )


def _gathering(parts: Parts) -> Gathering:
    def in_force() -> tuple[Policy, tuple[str, ...], str]:
        workers = parts.in_force.workers
        return parts.in_force.policy, workers.walls, workers.rules_version

    return Gathering(
        parts.journal,
        parts.settings.values,
        customs=parts.accounts.customs,
        panel=parts.panel,
        in_force=in_force,
        clock=parts.clock,
        ports=frozenset(one.port for one in flows(parts.settings, _TAKING_IN, parts.shares) if one.way is Way.IN),
    )
