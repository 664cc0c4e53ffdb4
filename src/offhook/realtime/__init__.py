"""The Realtime surface, as pure values: its frames, its rules of speaking, its requests."""
