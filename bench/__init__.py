"""Plays live calls against `offhook serve`, a bare floor and a peer, side by side in one run."""
