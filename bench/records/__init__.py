"""Records and the journal: what is kept on disk, and how it is read."""
