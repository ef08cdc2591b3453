"""The certificates of an installation: who shows them, and until when they hold."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509


class CertificateError(ValueError):
    """A file that is no certificate. The text is one line."""


def expires(file: Path) -> float:
    """When the first of the chain that it belongs to ends to hold (PEM); seconds since 1970. Raises CertificateError, OSError."""
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError as error:
        raise CertificateError(f"{file.name}: {error}") from None
    return min(one.not_valid_after_utc.timestamp() for one in chain)
