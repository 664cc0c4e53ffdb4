"""One person's data: found everywhere by the number, handed out, and taken away."""
