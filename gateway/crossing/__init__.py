"""From one side to the other: what the outer side released is handed over with signed papers, and the inner side believes nothing else.

Two installations, each with its own journal, blobs and keys. The outer one speaks first, always; the inner one never opens a connection.
"""
