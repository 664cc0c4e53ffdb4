"""Smoke tests of a deployment: a whole signed call on this machine, and the real cloud's door."""
