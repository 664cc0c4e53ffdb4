"""Records of calls, in SQLite with no set-up and in PostgreSQL when it grows."""
