"""What the faces share: headers, errors, health, sessions, words. A face never sees more of a transfer than its own services give it."""
