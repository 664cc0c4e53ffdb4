"""Scenarios with the real model, over a text session: what no script can tell.

The cloud that the settings name is asked for answers in text, which costs money. Everything but the
line is as on a call: the bot's instructions and tools, offhook's own decisions, what must be true.
"""
