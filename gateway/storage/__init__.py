"""The only room of the road that touches disk and database: blobs, the journal and the keys."""
