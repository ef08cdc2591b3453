"""What the two families of office documents, OOXML and OpenDocument, share: links, trees, pictures, worksheet formulas and marks.

No sanitizer lives here; neither family knows the other.
"""
