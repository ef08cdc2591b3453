"""Rule sets and policy documents as they were published, and their back-tests."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
