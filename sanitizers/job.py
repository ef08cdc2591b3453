"""What the road asks of the jail: one job, what it may cost, and how policy wants the transfer rebuilt. Plain data, no I/O.

`sanitizers.model` hands these on with the words of the answer: it is all of the jail that the road sees.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sanitizers.preview_words import Look


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one transfer may cost. Past any of them: `held / limit_exceeded` (time: `timeout`), never a partial delivery."""

    input_bytes: int = 512 << 20
    expanded_bytes: int = 2 << 30
    expansion_ratio: int = 200          # expanded bytes may be this many times the input …
    expansion_floor: int = 64 << 20     # … but small inputs may always expand to this many bytes
    parts: int = 20_000
    depth: int = 8
    wall_seconds: float = 120.0
    cpu_seconds: int = 90
    memory_bytes: int = 2 << 30
    pixels: int = 200_000_000           # of one frame
    frames: int = 2_000
    pages: int = 10_000
    cells: int = 16_000_000


class Treatment(msgspec.Struct, frozen=True, kw_only=True):
    """How policy wants a transfer rebuilt: the jail's half of a policy document. Every field's default is the strict side."""

    link_schemes: tuple[str, ...] = ("http", "https", "mailto", "tel")
    mail_links_defanged: bool = True        # hxxps:// and [.] in the text of mails
    mail_charset: Literal["utf-8", "iso-2022-jp"] = "utf-8"  # of delivered mails; what the latter cannot write goes as UTF-8
    mail_attachments: bool = True           # False: text only with a list of attachments (mode ア); True: mode ウ
    mail_notice_at_end: bool = False        # True: our notice below the text, not above it
    mail_passwords_tried: bool = False      # True: passwords in a later mail of the same sender are tried on what is locked (PPAP)
    mail_subject_mark: str = ""             # put before the subject of a mail that a road brought, such as 【外部】
    mail_forwards_held: bool = False        # True: a mail with the marks of automatic forwarding waits for a person
    mail_author_domains: tuple[str, ...] = ()   # ours: with the former, mail from any other is taken for forwarded; empty: not asked
    pdf_attachments: bool = False           # True: attachments go round the engine and the clean result is attached again
    pdf_forms_flattened: bool = False       # True: what is filled in becomes part of the page, nothing is left to fill in
    pdf_properties_kept: tuple[str, ...] = ("Title", "Subject", "Keywords")     # of a PDF; marks of a classification stay anyway
    pdf_links_removed: bool = False         # True: no link leaves a PDF; its words stay
    pdf_strict_pixels: bool = False         # every page as pixels with an invisible text layer
    comments_kept: bool = True              # Office comments and tracked changes
    capture_date_kept: bool = True          # EXIF date of photographs (工事写真)
    picture_codes: Literal["ignored", "reported", "covered"] = "ignored"  # QR codes in pictures: an address that no filter of links sees
    low_bits_cleared: bool = False          # pixels may change by one step and JPEG a little more, so that no hidden message survives
    svg_as_pixels: bool = False             # drawings go out as PNG
    metafiles_as_pixels: bool = False       # EMF and WMF go out as PNG; one that cannot be drawn whole is held
    bad_member_holds_archive: bool = False
    pages_as_text: bool = False             # HTML files and web archives go out as plain text
    unrebuilt_as_text: bool = False         # documents that cannot be rebuilt (Word 6 and 95, 一太郎 with frames): their text alone
    text_as_utf8: bool = False              # text, CSV, XML and JSON go out in UTF-8, not in the encoding they came in
    confirmed_kinds: tuple[str, ...] = ()   # kinds without a sanitizer whose original may pass, structure checked, with an approval
    forbidden_extensions: tuple[str, ...] = ()  # in addition to the built-in list
    language: str = "ja"                    # of notices left inside delivered content
    receipt_no: str = ""
    organisation: str = ""
    confirmed_by: str = ""                  # who approved the originals of this transfer; set by the road, never by policy
    confirmed_digests: tuple[tuple[str, str], ...] = ()     # (SHA-256, by which exception) of originals that may pass; set by the road
    received_at: str = ""                   # RFC 3339 with offset; the jail has no clock
    pickup_url: str = ""                    # where readers open what is locked, https://…; set by the road, never by policy
    original_until: str = ""                # the day until which the original is kept, as 2026-12-20


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """What the road found out about the sender of a mail before it was converted, in the words of RFC 8601 (`pass`, `fail`, `none`, …).

    '' stands for a method that was not tried, `temperror` for one that could not be.
    """

    server: str = ""        # who found it out (authserv-id)
    sender: str = ""        # of the envelope
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    arc: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """All that the road tells a jailed child about a transfer. The bytes come as a descriptor, never in here."""

    name: str
    limits: Limits = Limits()
    treatment: Treatment = Treatment()
    passwords: tuple[str, ...] = ()
    policy: str = ""
    rules: str = ""
    door: str = "cli"
    authentication: Authentication | None = None
    look: Look | None = None                # it is to be shown, not to be rebuilt
