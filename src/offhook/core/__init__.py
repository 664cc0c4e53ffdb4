"""What a call is, as pure values: nothing here reads a clock, opens a socket or rolls dice."""
