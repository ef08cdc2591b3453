"""What PDFium reads on the pages of two files, in a process of its own: the files are foreign. `python -m tests.corpus.pages BEFORE AFTER`."""

from __future__ import annotations

import json
import resource
import sys

import pypdfium2

_MEMORY = 4 << 30


def texts(path: str) -> list[str] | None:
    """Of each page; None when PDFium does not open the file."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return None
    return [document[index].get_textpage().get_text_range() for index in range(len(document))]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    json.dump([texts(path) for path in sys.argv[1:]], sys.stdout)
