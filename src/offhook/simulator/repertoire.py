"""Calls that can be asked for by name."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.simulator.script import (
    CallsTools,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    WaitsFor,
)

_SCRIPTS = (
    Script(
        "hello",
        steps=(Hears(), Says("Hello, can you hear me?"), Hears(), HangsUp()),
        model=(Replies("Yes, I can hear you well. Goodbye."),),
    ),
    Script(
        "order-status",
        steps=(
            Hears(),
            Says("Where is my order ACME-12345?"),
            Hears(),
            Says("Thank you, goodbye."),
            Hears(),
            HangsUp(),
        ),
        model=(
            CallsTools(("lookup_order", {"order_number": "ACME-12345"}), preamble="One moment."),
            Replies(from_tool="This is what I found: {output}"),
            Replies("Goodbye."),
        ),
    ),
    Script(
        "barge-in",
        steps=(
            Hears(),
            Says("What do you sell?"),
            Says("Sorry, just tell me when you open.", over=True, after_ms=1500),
            Hears(),
            HangsUp(),
        ),
        model=(
            Replies(
                "We sell kettles, toasters, coffee machines, lamps, radios, garden tools, and a "
                "great many other things for your home."
            ),
            Replies("We open at nine."),
        ),
    ),
    Script(
        "keys",
        steps=(WaitsFor("bot_audio_started"), Presses("12345#"), Hears(timeout_s=10.0), HangsUp()),
    ),
    Script("hangs-up-at-once", steps=(HangsUp(),), starts="accepted"),
    Script("rings-off", steps=(HangsUp(),), starts="ringing"),
)
SCENARIOS: Mapping[str, Script] = {script.name: script for script in _SCRIPTS}


class NoSuchScenarioError(LookupError):
    """There is no scenario of that name."""

    def __init__(self, name: str) -> None:
        self.known = tuple(SCENARIOS)
        super().__init__(f"There is no scenario {name!r}. Known are: {', '.join(self.known)}.")


def find_scenario(name: str) -> Script:
    """The script of a scenario; raises `NoSuchScenarioError`, which knows the names."""
    found = SCENARIOS.get(name)
    if found is None:
        raise NoSuchScenarioError(name)
    return found
