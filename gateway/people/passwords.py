"""Passwords: argon2id hashes, a rule with its words, and random temporary ones."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# argon2-cffi's defaults are RFC 9106's low-memory profile (64 MiB, 3 passes).
_hasher: Final = PasswordHasher()
_SHORTEST: Final = 12
_LONGEST: Final = 256
# What guessers try first; a password has to have something besides.
_COMMON: Final = re.compile(
    r"p[a@]ssw[o0]rd|sekisho|qwerty(uiop)?|asdfgh(jkl)?|zxcvbn(m)?|1qaz|2wsx|3edc|abc(defghijkl)?|admin|letmein|welcome|[0-9]+|[!@#$%._-]+"
)
_UNCOMMON: Final = 4
# No letter that a person could take for another when typing it from a sheet.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def temporary() -> str:
    """A random password for one first log-in: 100 bits in groups of five."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def hashed(password: str) -> str:
    return _hasher.hash(password)


def matches(hash_of: str, password: str) -> bool:
    """Whether the password is the one that was hashed; a hash that cannot be read matches none."""
    try:
        return _hasher.verify(hash_of, password)
    except (VerificationError, InvalidHashError):
        return False


# The rule, as it stands beside the field.
RULE: Final = (
    f"{_SHORTEST}文字以上。ログイン名、氏名、所属名、よく使われる言葉や数字の並びだけのものは使えません。"
    f" / at least {_SHORTEST} characters; not your log-in, name or department, nor common words and runs of digits alone"
)


def weakness(password: str, login: str, names: Iterable[str] = ()) -> str | None:
    """Why a chosen password is refused, Japanese and English; None if it may be used. `names`: of the person and his departments."""
    if not _SHORTEST <= len(password) <= _LONGEST:
        return f"パスワードは{_SHORTEST}文字以上{_LONGEST}文字以下にしてください。 / {_SHORTEST} to {_LONGEST} characters"
    if login.lower() in password.lower():
        return "パスワードにログイン名を含めることはできません。 / must not contain the log-in name"
    if any(len(name) > 1 and name.lower() in password.lower() for name in names):
        return "パスワードに氏名や所属名を含めることはできません。 / must not contain your name or that of your department"
    if len(set(password)) < 5:
        return "同じ文字の繰り返しは使えません。 / too few different characters"
    if len(_COMMON.sub("", password.lower())) < _UNCOMMON:
        return "よく使われる言葉や数字の並びだけのパスワードは使えません。 / only common words and runs of digits"
    return None
