"""Readers of mail of five makes, each saying of a message what its leaves are: ours, Python's old and new one, a Rust crate's, Perl's and Courier's.

The last two are programs that may be absent (Debian: libmime-tools-perl, maildrop): `READERS` holds those that are here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import collapse_rfc2231_value
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import fast_mail_parser

from sanitizers.formats.message.reader import Part, Reader


class Leaf(NamedTuple):
    """A part without parts: its media type, its name ('' for none), and the digest of its decoded content."""

    kind: str
    name: str
    digest: str


def _leaf(kind: str, name: str | None, content: bytes) -> Leaf:
    return Leaf(kind.lower(), name or "", sha256(content).hexdigest())


def ours(data: bytes) -> list[Leaf]:
    return _ours(Reader().read(data))


def _ours(part: Part) -> list[Leaf]:
    if part.children:
        return [leaf for child in part.children for leaf in _ours(child)]
    return [_leaf(part.main, part.name, part.content)]


def python_old(data: bytes) -> list[Leaf]:
    tree: Message = BytesParser(policy=policy.compat32).parsebytes(data)
    return [_leaf(leaf.get_content_type(), _old_name(leaf), _payload(leaf)) for leaf in tree.walk() if not leaf.is_multipart()]


def _old_name(leaf: Message) -> str:
    value = leaf.get_param("filename", header="content-disposition")
    return "" if value is None else collapse_rfc2231_value(value)


def python_new(data: bytes) -> list[Leaf]:
    tree = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    return [_leaf(leaf.get_content_type(), leaf.get_filename(), _payload(leaf)) for leaf in tree.walk() if not leaf.is_multipart()]


def _payload(leaf: Message) -> bytes:
    payload = leaf.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def rust(data: bytes) -> list[Leaf]:
    return _rust(fast_mail_parser.parse_email_tree(data))


def _rust(part: Any) -> list[Leaf]:
    if part.children:
        return [leaf for child in part.children for leaf in _rust(child)]
    return [_leaf(part.content_type, part.filename, part.content)]


_PERL = r"""
use strict; use MIME::Parser; use MIME::Words; use JSON::PP; use Digest::SHA qw(sha256_hex); use Encode;
my $parser = MIME::Parser->new; $parser->output_to_core(1); $parser->tmp_to_core(1);
my @found; binmode STDIN;
sub name { my $head = shift->head; my $raw = $head->mime_attr('content-disposition.filename');
  $raw = $head->mime_attr('content-type.name') unless defined $raw; return '' unless defined $raw;
  return $raw if utf8::is_utf8($raw); $raw =~ s/\s+(?==\?)//g; return decode('MIME-Header', $raw) if $raw =~ /=\?/; return decode('UTF-8', $raw); }
sub walk { my $part = shift; my @parts = $part->parts; if (@parts) { walk($_) for @parts; return; }
  push @found, [lc $part->mime_type, name($part), sha256_hex($part->bodyhandle ? $part->bodyhandle->as_string : '')]; }
while (my $size = <STDIN>) { my $data; read(STDIN, $data, $size); @found = (); walk($parser->parse_data($data)); print JSON::PP->new->ascii->encode(\@found), "\n"; }
"""


def perl(mails: list[bytes]) -> list[list[Leaf]]:
    fed = b"".join(b"%d\n" % len(data) + data for data in mails)
    done = subprocess.run(["perl", "-e", _PERL], input=fed, capture_output=True, timeout=60, check=True)
    return [[Leaf(*row) for row in json.loads(line)] for line in done.stdout.splitlines()]


def courier(data: bytes) -> list[Leaf]:
    listed = _reformime(data, "-i").decode("utf-8")
    found = []
    for section in listed.strip().split("\n\n"):
        said = dict(line.partition(": ")[::2] for line in section.split("\n"))
        if not said["content-type"].startswith("multipart/"):
            content = _reformime(data, "-s", said["section"], "-e")
            found.append(_leaf(said["content-type"], said.get("content-disposition-filename"), content))
    return found


def _reformime(data: bytes, *options: str) -> bytes:
    return subprocess.run(["reformime", *options], input=data, capture_output=True, timeout=30, check=True).stdout


@cache
def _has_mime_tools() -> bool:
    return bool(shutil.which("perl")) and subprocess.run(["perl", "-MMIME::Parser", "-MJSON::PP", "-e", "1"], capture_output=True, check=False).returncode == 0


def _each(read: Callable[[bytes], list[Leaf]]) -> Callable[[list[bytes]], list[list[Leaf]]]:
    return lambda mails: [read(data) for data in mails]


READERS: dict[str, Callable[[list[bytes]], list[list[Leaf]]]] = {
    "ours": _each(ours), "Python, old": _each(python_old), "Python, new": _each(python_new), "Rust": _each(rust),
}
if _has_mime_tools():
    READERS["Perl"] = perl
if shutil.which("reformime"):
    READERS["Courier"] = _each(courier)
