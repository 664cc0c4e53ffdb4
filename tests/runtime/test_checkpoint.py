"""A call goes into a checkpoint and comes out of it as it was, but for what is kept elsewhere."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.outcomes import Answered, Transfer
from offhook.core.usage import Tokens
from offhook.runtime.checkpoint import LEFT_OUT, Checkpoint, differs, moved, seal, unseal
from offhook.store.vault import Vault, new_key
from support.calls import Driven
from support.core_events import steps

OPEN = Vault(None)


def through(call: Call, vault: Vault = OPEN) -> Call:
    sealed = seal(Checkpoint(call=call, replica="a", at=1, epoch=2.0), vault)
    last = unseal(sealed, vault)
    assert last is not None
    return last.call


@given(steps)
def test_whatever_happened_a_call_comes_out_as_it_went_in(happened: list[Any]) -> None:
    driven = Driven()
    for event, pause in happened:
        driven.on(event)
        driven.wait(pause)
    call = driven.call
    back = through(call)
    for name in Call.__struct_fields__:
        if name not in LEFT_OUT and name not in ("tools", "turns"):
            assert getattr(back, name) == getattr(call, name), name
    assert (back.turns.last, back.turns.open) == (call.turns.last, call.turns.open)
    assert back.tools.calls.keys() == call.tools.calls.keys()
    for ref, tool in call.tools.calls.items():
        assert back.tools.calls[ref].result == tool.result
        assert back.tools.calls[ref].taken is tool.taken


def test_an_output_is_in_it_until_the_cloud_has_it() -> None:
    call = Driven().live()
    call.on(on.ToolAsked("call_1", "lookup", '{"a":1}'))
    assert through(call.call).tools.calls["call_1"].arguments == '{"a":1}'
    call.on(on.ToolEnded("call_1", Answered("secret")))
    tool = through(call.call).tools.calls["call_1"]
    assert (tool.arguments, tool.outcome) == ("", Answered("secret"))
    call.on(on.ToolTaken("call_1"))
    assert through(call.call).tools.calls["call_1"].outcome == Answered("")


def test_with_a_key_nothing_of_it_can_be_read_and_without_that_key_it_is_nothing() -> None:
    vault = Vault(new_key())
    sealed = seal(Checkpoint(call=Driven().live().call, replica="a", at=1, epoch=0.0), vault)
    assert sealed.startswith("enc:")
    assert unseal(sealed, Vault(new_key())) is None
    assert unseal(sealed, vault) is not None


def test_what_another_version_has_written_is_nothing() -> None:
    assert unseal("bm90aGluZw==", OPEN) is None
    assert unseal("not even base64!", OPEN) is None


def test_words_and_tokens_are_no_reason_for_a_new_one_but_tools_and_phases_are() -> None:
    call = Driven().live()
    before = call.call
    call.on(on.BotSaid("item_9", "Hello."), on.Used("resp_1", Tokens(text_in=5)))
    assert not differs(before, call.call)
    call.on(on.ToolAsked("call_1", "lookup", "{}"))
    assert differs(before, call.call)


def test_times_are_brought_to_another_clock_and_none_is_in_the_future() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"), on.ToolEnded("call_1", Transfer("default")))
    call = driven.call
    later = moved(call, 100.0, now=call.rang_at + 100.0)
    assert later.rang_at == call.rang_at + 100.0
    assert later.accepted_at == call.rang_at + 100.0
    assert later.tools.calls["call_1"].asked_at <= call.rang_at + 100.0
    assert later.phase is Phase.LIVE
    assert later.consent.kept_from == call.consent.kept_from


def test_the_end_of_the_session_is_in_it_and_is_no_time_of_our_clock() -> None:
    call = Driven().live()
    before = call.call
    call.on(on.ExpiryTold(call.now + 1800))
    assert differs(before, call.call)
    lasts = call.call.session_lasts
    assert lasts is not None
    assert moved(through(call.call), 5_000.0, call.now + 5_000.0).session_lasts == lasts
