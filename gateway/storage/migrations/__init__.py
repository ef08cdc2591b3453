"""Changes of the tables, oldest first, one file each under versions/. Run by gateway.storage.database at every start."""
