"""What the telephone network says and what it may be told: pure values, no I/O."""
