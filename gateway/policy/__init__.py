"""The policy document, what it says for one transfer, and what it makes of a report: pure functions.

A document is TOML; every key has a default on the strict side: the empty document is the built-in policy. Its version is a
digest of what the whole of it says, so two documents that say the same have one version.

    name = "pref"
    strength = "標準"               # 最大セキュリティ (security), 標準 (standard), 最大整合性 (fidelity): a set of treatment values
    attempts = 3                    # how often a transfer whose process was lost is tried
    original_days = 90              # how long originals and results are kept
    [limits]
    input_bytes = "512 MiB"         # every field of sanitizers.model.Limits
    [treatment]
    mail_attachments = true         # every field of sanitizers.model.Treatment that is not a fact about one transfer
    [kinds]
    svg = "hold"                    # by true kind, wherever in a transfer it lies: sanitize (the default), pixels, text,
    dxf = "confirm"                 # confirm, hold or block; what a kind cannot have is refused when the document is read

    [organisations."A町"]           # what is said for some only: strength, limits, treatment and kinds as above
    weight = 2                       # turns in the queue where others have one
    [organisations."A町".departments."建設課".kinds]
    dxf = "confirm"
    [groups.cad]
    members = ["cad@town.example.jp", "@kensetsu.example.jp", "yamada"]    # whom it is for: addresses, domains, log-in names
    senders = ["@pref.example.jp"]                                          # and whom it is from
    [lanes.inbound.limits]
    [doors.drop.treatment]

The house's word comes first, then the organisation, its departments from the outermost in, groups, lane, door, and exceptions that were
granted (`gateway.requests.exceptions`); later wins. A mail to several people gets the strictest of what each of them would get.
"""

from gateway.policy.dangers import warnings
from gateway.policy.deciding import decide, locked, macros_lost, releasable, unconfirmed, unrebuilt, used
from gateway.policy.document import Excepted, KindAction, Layer, Policy, PolicyError, Strength
from gateway.policy.layers import CONFIRMABLE, Facts, effective, facts, feasible
from gateway.policy.reading import FACTS, dump, load
from gateway.policy.telling import told

__all__ = [
    "CONFIRMABLE",
    "FACTS",
    "Excepted",
    "Facts",
    "KindAction",
    "Layer",
    "Policy",
    "PolicyError",
    "Strength",
    "decide",
    "dump",
    "effective",
    "facts",
    "feasible",
    "load",
    "locked",
    "macros_lost",
    "releasable",
    "told",
    "unconfirmed",
    "unrebuilt",
    "used",
    "warnings",
]
