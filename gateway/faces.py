"""The three faces of an installation, each with its desks, built from the parts of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

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
from gateway.approvals import Approvals
from gateway.asking import Asking
from gateway.bringing import Bringing
from gateway.caretaking import Caretaking
from gateway.config import Config
from gateway.conformity.facts import Gathering
from gateway.drop.app import Drop
from gateway.exceptions import Exceptions
from gateway.operating import Operating
from gateway.overview import Overview
from gateway.people.accounts import Accounts
from gateway.people.reviews import Reviews
from gateway.people.staff import Staff
from gateway.pickup.app import Pickup
from gateway.pipeline import Pipeline
from gateway.policy import Policy
from gateway.previews import Previews
from gateway.publishing.in_force import InForce
from gateway.publishing.requests import PublishingRequests
from gateway.publishing.trials import Trials
from gateway.publishing.versions import Publishing
from gateway.receipts import Signer
from gateway.scanners.panel import Panel
from gateway.segments import receipt_keys
from gateway.shares.document import Share
from gateway.storage.blobs import Blobs
from gateway.storage.journal import Journal
from gateway.unlocking import Unlocking
from gateway.uploads import Uploads
from gateway.visits import Visits
from gateway.web.announced import Announced
from gateway.web.approval_pages import ApprovalPages
from gateway.web.desks import Desk
from gateway.web.events import Events
from gateway.web.exception_pages import ExceptionPages
from gateway.web.face import Listener
from gateway.web.preview_desks import Looking, looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the faces stand on. `ready`: what stops the service, empty if nothing; `taken_in` and `work_to_do` wake those who do it."""

    settings: Config
    journal: Journal
    blobs: Blobs
    accounts: Accounts
    approvals: Approvals
    exceptions: Exceptions
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
    settings, journal, clock = parts.settings, parts.journal, parts.clock
    unlocking = Unlocking(journal, parts.pipeline, clock)
    operating = Operating(journal, parts.signer, clock, parts.pipeline, parts.work_to_do)
    events = Events(journal, parts.pipeline.progress)
    boxes = fittings.boxes(settings, journal, clock)
    looking = Looking(parts.previews, journal, parts.approvals, clock)
    faces = {
        "drop": Drop(
            _uploads(parts),
            journal,
            unlocking,
            parts.accounts,
            unfinished=fittings.unfinished(settings),
            readiness=parts.ready,
            events=events,
            asking=(
                parts.approvals,
                Asking(journal, parts.approvals, operating, pipeline=parts.pipeline, blobs=parts.blobs, clock=clock),
            ),
            bringing=Bringing(
                journal,
                parts.approvals,
                operating,
                fittings.usage(settings),
                {one.address: one.title for one in parts.shares.values()},
                boxes=boxes,
            ),
            desks=[
                ApprovalPages(parts.approvals, looks=partial(looks, journal)),
                ExceptionPages(parts.exceptions, clock),
                *looking.of_drop(originals=settings["drop.preview"]),
                Announced(journal, clock),
            ],
            jail=settings["jail.required"],
        ).application,
        "pickup": Pickup(
            parts.blobs,
            journal,
            unlocking,
            parts.accounts,
            parts.ready,
            clock=clock,
            events=events,
            days=settings["pickup.days"],
            public_key=receipt_keys(settings, parts.signer),
            boxes=boxes,
            desks=[*looking.of_pickup(), Announced(journal, clock)],
            jail=settings["jail.required"],
        ).application,
        "admin": admin(parts.accounts, parts.ready, [*_desks(parts, operating), *looking.of_admin()], jail=settings["jail.required"]),
    }
    return [Listener(face, settings[f"{role}.listen"]) for role, face in faces.items() if role in roles]


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
    return [
        OverviewDesk(journal, overview(parts)),
        ConformityDesk(_gathering(parts)),
        OriginalsDesk(journal, parts.blobs, parts.approvals, clock, four_eyes=parts.settings["policy.four_eyes"]),
        TransfersDesk(journal, operating, clock),        # after the one before it: any other word is a deed
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
    )
