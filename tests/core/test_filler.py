"""A tool that takes long is excused to the caller, twice at most."""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.outcomes import Answered, Transfer
from support.calls import Driven


def _fillers(driven: Driven) -> int:
    return sum(say.ref == "filler" for say in driven.told(do.Say))


def _asked(*, filler: float = 4.0) -> Driven:
    driven = Driven(filler=filler).live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    return driven


def test_a_quick_tool_needs_no_excuse() -> None:
    driven = _asked()
    driven.wait(3.9)
    driven.on(on.ToolEnded("call_1", Answered("x")))
    driven.wait(20)
    assert _fillers(driven) == 0


def test_a_slow_tool_is_excused_twice_and_no_more() -> None:
    driven = _asked()
    driven.wait(4.1)
    assert _fillers(driven) == 1
    driven.wait(30)
    assert _fillers(driven) == 2


def test_an_excuse_that_waited_too_long_is_not_said() -> None:
    driven = _asked()
    (say,) = driven.wait(4.0)
    assert isinstance(say, do.Say)
    assert say.until == driven.now + 2.0


def test_tools_side_by_side_are_excused_once() -> None:
    driven = _asked()
    driven.on(on.ToolAsked("call_2", "lookup", "{}"))
    driven.wait(4.1)
    driven.on(on.ToolEnded("call_1", Answered("x")))
    driven.wait(3.8)
    assert _fillers(driven) == 1


def test_the_next_tool_is_excused_anew() -> None:
    driven = _asked()
    driven.wait(10)
    driven.on(on.ToolEnded("call_1", Answered("x")), on.ToolAsked("call_2", "lookup", "{}"))
    driven.wait(4.1)
    assert _fillers(driven) == 3


def test_a_transfer_is_not_talked_over() -> None:
    driven = _asked()
    driven.on(on.ToolAsked("call_2", "handoff_human", "{}"))
    driven.on(on.ToolEnded("call_2", Transfer("support")))
    driven.wait(4.1)
    assert _fillers(driven) == 0


def test_it_can_be_switched_off() -> None:
    driven = _asked(filler=0)
    driven.wait(30)
    assert _fillers(driven) == 0
