"""Rules and policy on their way, over a town's stores: the desk with workers that find what a test wants them to find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from gateway import policy
from gateway.admin.app import admin
from gateway.admin.publishing import PublishingDesk
from gateway.publishing.requests import PublishingRequests
from gateway.publishing.trials import Trials
from gateway.publishing.versions import POLICY_FILE, Publishing, Subject
from gateway.requests.approvals import Approvals
from sanitizers.model import Job, Match, Report, Severity
from tests.build.face import Town
from tests.build.transfer import FakeWorkers, report

RULES = {
    "a.yar": 'rule Known { meta: severity = "medium" strings: $a = "known" condition: $a }\n',
    "catalog.toml": '# our rules\n\n[Known]\nstate = "enabled"\nowner = "town"\nwhy_ja = "試験"\nwhy_en = "test"\n',
}
NEW_RULE = 'rule Newer { strings: $a = "came in" condition: $a }\n'


class FindingWorkers(FakeWorkers):
    """Each `rule NAME` whose quoted string lies in the bytes matches; no jail, no compiler."""

    def __init__(self, rules: Mapping[str, str], version: str = "rules-2") -> None:
        super().__init__(self._answer)
        self.rules = dict(rules)
        self.rules_version = version
        self.before_each: Callable[[], None] = lambda: None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def _answer(self, job: Job, source: bytes) -> Report:
        self.before_each()
        found = tuple(
            Match(rule=line.split()[1], severity=Severity.MEDIUM, where="")
            for text in self.rules.values()
            for line in text.splitlines()
            if line.startswith("rule ") and line.split('$a = "')[1].split('"')[0].encode() in source
        )
        made = report(source=source, policy=job.policy)
        return Report(**{name: getattr(made, name) for name in Report.__struct_fields__ if name not in ("matches", "schema")}, matches=found)


@dataclass
class Office:
    """The desk of one town."""

    publishing: Publishing
    trials: Trials
    admin: web.Application
    approvals: Approvals
    workers: list[FindingWorkers] = field(default_factory=list)


async def office(place: Town, *, four_eyes: bool = True) -> Office:
    """With RULES and the built-in policy in force."""
    publishing = Publishing(place.journal, place.clock, policy.load, four_eyes=four_eyes)
    made: list[FindingWorkers] = []

    def new_workers(rules: Mapping[str, str]) -> FindingWorkers:
        made.append(FindingWorkers(rules))
        return made[-1]

    trials = Trials(place.journal, place.blobs, publishing, policy.load, place.clock, new_workers=new_workers)  # type: ignore[arg-type]
    await publishing.seen_on_disk({Subject.RULES: RULES, Subject.POLICY: {POLICY_FILE: ""}})
    approvals = Approvals(place.journal, place.clock)
    requests = PublishingRequests(publishing, approvals)
    desk = PublishingDesk(place.journal, publishing, trials, requests, place.clock)

    async def ready() -> list[str]:
        return []

    return Office(publishing, trials, admin(place.accounts, ready, [desk], jail=True), approvals, made)
