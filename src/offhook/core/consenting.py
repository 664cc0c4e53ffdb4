"""The steps of consent: told, agreed, refused. They count in every phase, the last one included.

A refusal takes the words out of the call's own transcript at once, whatever is under way, so that
nothing behind it can write them down; then the cloud is told to transcribe no more.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.consent import Answer
from offhook.core.events import SayEnd
from offhook.core.outcomes import Consented

Step = tuple[Call, list[do.Command]]

HEEDED = frozenset({on.SayEnded, on.ToolEnded, on.HookAnswered})
TOOL = "record_consent"
CONFIRM_S = 15.0  # after that, a word about the key is out of place


def heed(call: Call, event: on.Event, now: float) -> Step:
    """What this event means for consent, whatever else comes of it."""
    match event:
        case on.SayEnded("greeting", how):
            heard = how is SayEnd.HEARD
            return call.with_(consent=call.consent.told(now, heard=heard)), []
        case on.ToolEnded(ref, Consented(yes)) if call.tools.running(ref):
            return answer(call, now, yes=yes)
        case on.HookAnswered(Consented(yes)):
            return answer(call, now, yes=yes)
        case _:
            return call, []


def answer(call: Call, now: float, *, yes: bool) -> Step:
    """The caller has decided; what that changes is done at once."""
    was, consent = call.consent, call.consent.answered(now, yes=yes)
    call = call.with_(consent=consent)
    if was.keeping and not consent.keeping:
        call = call.with_(transcript=call.transcript.wordless())
    if was.keeping is consent.keeping or call.phase is Phase.ENDED:
        return call, []
    return call, [do.Transcribe(consent.keeping)]


def refuses(call: Call, key: str) -> bool:
    """Whether this key is a refusal: the first of an entry, and not one within a number."""
    terms = call.consent.terms
    return (
        terms is not None
        and terms.policy.asks
        and key == terms.key
        and not call.digits.typed
        and call.consent.standing is not Answer.REFUSED
    )


def refuse_by_key(call: Call, now: float) -> Step:
    """The caller has refused by a key: the model hears no keys, so it is told what to say."""
    call, commands = answer(call, now, yes=False)
    if call.phase in (Phase.LIVE, Phase.REJOINING) and not call.transfer.active:
        order = call.rules.lines.refused
        commands = [*commands, do.Say("consent", order, until=now + CONFIRM_S)]
    return call, commands
