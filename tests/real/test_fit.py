"""What a text session cannot show is said, and nothing of it passes in silence."""

from __future__ import annotations

import pytest

from offhook.real.fit import Fit, fit
from offhook.simulator.scenario import parse
from offhook.simulator.shelf import catalogue

TOOLS = {"lookup_order", "end_call"}


def fitted(text: str) -> Fit:
    return fit(parse(f"title = 'Mine'\n{text}", "mine"), TOOLS)


CALLER = 'caller = ["listens", { says = "Hello" }, "hangs up"]\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('caller = [{ says = "Hi" }, { presses = "1" }]', "keys"),
        ('caller = [{ says = "Hi" }, "loses the sideband"]', "sideband"),
        ('caller = [{ says = "Hi", never_stops = true }]', "noise"),
        ('caller = ["listens"]', "says nothing"),
        (f'{CALLER}starts = "ringing"', "on the line"),
        (f"{CALLER}[cloud]\nrefer = 500", "faults of the cloud"),
        (f'{CALLER}model = ["fails"]', "must fail"),
        (f'{CALLER}model = ["says nothing"]', "must fail"),
        (f'{CALLER}model = [{{ stops_short = "We" }}]', "must fail"),
        (f'{CALLER}model = [{{ calls = "lookup_order", with_text = "{{" }}]', "broken arguments"),
        (f'{CALLER}model = [{{ calls = "fly" }}]', "does not have"),
        (f'{CALLER}[must]\nended = "expired"', "end as expired"),
        (f'{CALLER}[must]\nended = "bot_hung_up"\nrecorded_as = "caller_silent"', "caller_silent"),
    ],
)
def test_what_only_a_phone_can_show_is_skipped(text: str, why: str) -> None:
    assert why in fitted(text).skip


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ('{ says = "Wait", over_bot_ms = 500 }', "over the bot"),
        ('{ says = "Four", heard_as = "For" }', "transcription"),
        ('{ says = "And?", during_tool = true }', "tool is at work"),
        ("{ waits_s = 2 }", "pauses"),
        ('{ listens_for = "is packed" }', "'is packed'"),
    ],
)
def test_what_is_done_in_another_way_is_told(step: str, what: str) -> None:
    found = fitted(f'caller = [{{ says = "Hello" }}, {step}]')
    assert not found.skip
    assert any(what in told for told in found.unchecked)


def test_times_and_events_of_the_line_are_not_checked() -> None:
    found = fitted(
        f"{CALLER}[must]\nanswer_within_ms = 3000\ncount = {{ accept = 1, refer = 0 }}\n"
        'tools = [{ called = "lookup_order" }]'
    )
    assert found.unchecked == ("answer_within_ms = 3000", "count of accept")
    assert found.must.answer_within_ms is None
    assert found.must.count == {"refer": 0}
    assert [tool.called for tool in found.must.tools] == ["lookup_order"]


def test_words_of_the_script_are_not_asked_of_a_real_model() -> None:
    found = fitted(
        f"{CALLER}"
        'model = [{ says = "Let me look.", calls = "lookup_order" },\n'
        '{ tells = "It is {status}." }]\n'
        '[must]\nsaid = ["let me look", "it is packed", "kettle"]\n'
        'in_order = ["bot ... let me look", "bot calls lookup order", "bot hangs up"]'
    )
    assert found.must.said == ("kettle",)
    assert found.must.in_order == ("bot calls lookup order", "bot hangs up")
    assert sum("words of the scripted model" in told for told in found.unchecked) == 3


def test_nothing_of_a_scenario_is_lost() -> None:
    """What must be true is either checked or named as not checked, in the whole catalogue."""
    for scenario in catalogue().values():
        found = fit(scenario, TOOLS)
        kept = len(found.must.said) + len(found.must.in_order) + len(found.must.count)
        wanted = scenario.must
        asked = len(wanted.said) + len(wanted.in_order) + len(wanted.count)
        named = sum("scripted model" in u or u.startswith("count of") for u in found.unchecked)
        assert kept + named == asked, scenario.name
