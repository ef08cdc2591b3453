"""Marks that say how a document is to be handled (情報分類): they survive, whatever else is said about it goes."""

from __future__ import annotations

import re
from typing import Final

MARK: Final = re.compile(
    r"(?:MSIP_|情報分類|情報区分|分類|機密|取扱|公開区分|保存期間|Classification|Sensitivity|Confidential|Label)", re.IGNORECASE
)
