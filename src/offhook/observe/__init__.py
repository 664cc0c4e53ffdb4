"""What a person sees of the running program: logs, redaction, metrics."""
