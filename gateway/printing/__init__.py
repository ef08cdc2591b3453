"""Papers for people (receipts, registers, reports) as PDF, from plain data: `document.printed(paper.Paper(…)) -> bytes`."""
