"""One file per change; `down_revision` names the one before. A version that was ever released is never edited."""
