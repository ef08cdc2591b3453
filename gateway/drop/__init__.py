"""The drop: staff bring files in from the Internet side."""
