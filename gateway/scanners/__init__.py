"""Scanners of other makers beside our own rules: each behind one small interface, asked in parallel by a panel."""
