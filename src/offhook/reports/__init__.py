"""Records for people and for files: tables in a terminal, and exports."""
