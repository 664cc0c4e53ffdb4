"""An example of everything that is asked and answered, for the document and its readers."""

from __future__ import annotations

import functools
from typing import Any, Final

import msgspec

from offhook.store.audit import AuditEntry
from offhook.store.outbox import State
from offhook.store.reading import (
    CallRecord,
    CallSummary,
    Cost,
    Count,
    Delivery,
    Entry,
    Page,
    Percentiles,
    Spoken,
    Stats,
    ToolCall,
    Transcript,
)
from offhook.store.reading.values import Moment, TransferTry, Turn, Use
from offhook.store.tokens import Role, Token
from offhook.web.admin.api.around import Me
from offhook.web.admin.api.calls import LiveCall, LiveCalls
from offhook.web.admin.api.keys import MadeToken, NewToken, Revoked
from offhook.web.admin.api.orders import End, HandOver, Mute, Say, Taken, Tell
from offhook.web.admin.api.outgoing import Sending, Waiting
from offhook.web.admin.api.replicas import Leaving, Serving
from offhook.web.admin.api.words import Number, Reveal

RANG: Final = 1_798_761_600_000

_CALL: Final = CallSummary(
    call_id="rtc_1",
    rang_at=RANG,
    phase="ended",
    provider="azure",
    model="gpt-realtime",
    bot="shop",
    line="shop",
    called="+493023125001",
    language="de",
    caller_masked="+49 ••• 142",
    accepted_at=RANG + 120,
    attached_at=RANG + 310,
    greeted_at=RANG + 1250,
    greeted=True,
    ended_at=RANG + 64_000,
    length_ms=63_880,
    reason="transferred",
    fault="bot",
    detail=None,
    target="workshop",
    utterances=2,
    tools=1,
    cost_usd=0.042,
    prices="2026-11-01",
    consent="noticed",
    keep=False,
    purged_at=None,
    replica="phone-0",
)
_SPOKEN: Final = Spoken(
    item="item_1",
    place=0,
    who="bot",
    at=RANG + 1250,
    text="Hello, this is the AI assistant of Miller's Bicycles.",
    spoken_ms=3100,
    heard_ms=None,
)
_TOOL: Final = ToolCall(
    ref="call_1",
    name="opening_hours",
    asked_at=RANG + 9000,
    ended_at=RANG + 9050,
    took_ms=50,
    arguments="{}",
    outcome="answered",
    output="Monday to Friday, 9 to 17",
    error=None,
)
_TRANSFER: Final = TransferTry(
    n=1,
    target="workshop",
    reason=None,
    began_at=RANG + 60_000,
    ended_at=RANG + 64_000,
    outcome="transferred",
    detail=None,
)
_TURN: Final = Turn(
    item="item_2",
    n=1,
    stopped_at=RANG + 6000,
    speech_ended_at=RANG + 5500,
    response_at=RANG + 6100,
    audio_at=RANG + 6400,
    latency_ms=900,
    tool_ms=0,
    own_ms=2,
)
_USE: Final = Use(
    ref="resp_1",
    at=RANG + 7000,
    model="gpt-realtime",
    kind="response",
    text_in=120,
    audio_in=310,
    image_in=0,
    text_cached=80,
    audio_cached=0,
    image_cached=0,
    text_out=40,
    audio_out=190,
    seconds=None,
)
_MOMENT: Final = Moment(n=1, at=RANG + 120, kind="accepted", detail=None)
_DELIVERY: Final = Delivery(
    id=1,
    at=RANG,
    delivery_id="wh_1",
    event_type="realtime.call.incoming",
    call_id="rtc_1",
    result="started",
    status=200,
    took_us=900,
)
_TOKEN: Final = Token("tok_1", "crm", Role.SUPERVISOR, RANG, "link:console", RANG + 7_776_000_000)
_RECORD: Final = CallRecord(
    call=_CALL,
    caller_name=None,
    transcript=(),
    tool_calls=(),
    transfers=(_TRANSFER,),
    turns=(_TURN,),
    usage=(_USE,),
    moments=(_MOMENT,),
    consents=(),
    deliveries=(_DELIVERY,),
)
_STATS: Final = Stats(
    calls=10,
    live=1,
    answered=9,
    answered_share=0.9,
    transfers=4,
    transferred=3,
    transfer_success=0.75,
    cut_short=1,
    average_length_ms=61_500.0,
    longest_ms=240_000,
    cost_usd=0.61,
    reasons=(Count("transferred", 3), Count("caller_hung_up", 6), Count(None, 1)),
    faults=(Count("bot", 3), Count("caller", 6), Count(None, 1)),
    days=(Count("2026-12-31", 10),),
)
_SERVING: Final = Serving(
    id="phone-0:4f1c9a2e",
    state="serving",
    beats=7311,
    capacity=150,
    live=12,
    version="0.1.0",
    host="phone-0",
    began_at=RANG,
)
_SENDING: Final = Sending(
    id="msg_1",
    kind="call.ended",
    call_id="rtc_1",
    host="crm.example.com",
    body='{"type":"call.ended","timestamp":"2027-01-01T00:01:04.000Z","data":{"call_id":"rtc_1"}}',
    made_at=RANG + 64_000,
    state=State.DEAD,
    tries=9,
    next_at=None,
    sent_at=None,
    error="status 500",
)
_AUDIT: Final = AuditEntry(
    1, RANG, "token:crm", "transcript.viewed", "rtc_1", "192.0.2.7", None, None, "0" * 64, "a" * 64
)


def example(kind: Any) -> Any:
    """An example of a struct, as plain values. Raises `KeyError` for what has none."""
    return msgspec.to_builtins(_all()[repr(kind)])


@functools.cache
def _all() -> dict[str, Any]:
    pages: dict[Any, Any] = {
        Page[CallSummary]: Page((_CALL,), "WzE3OTg3NjE2MDAwMDAsInJ0Y18xIl0"),
        Page[Cost]: Page((Cost(group="gpt-realtime", calls=10, unpriced=1, cost_usd=0.61),)),
        Page[Percentiles]: Page(
            (Percentiles(measure="latency", group=None, count=41, p50=820, p95=1310, p99=1900),)
        ),
        Page[Entry]: Page((Entry(at=RANG + 1250, kind="utterance", utterance=_SPOKEN),)),
        Page[ToolCall]: Page((_TOOL,)),
        Page[Delivery]: Page((_DELIVERY,)),
        Page[Token]: Page((_TOKEN,)),
        Page[Sending]: Page((_SENDING,)),
        Page[AuditEntry]: Page((_AUDIT,)),
        Page[Serving]: Page((_SERVING,)),
    }
    values = (
        LiveCalls((LiveCall(_CALL, True),)),
        _RECORD,
        _STATS,
        Transcript(call_id="rtc_1", began_at=RANG + 120, language="de", utterances=(_SPOKEN,)),
        Number("rtc_1", "+493023125142"),
        Reveal("the caller asked to be called back"),
        Taken("rtc_1", "say"),
        Say("One moment, please.", True),
        Tell("The caller is a customer of many years."),
        HandOver("workshop", "asked for a person"),
        End("wrong number"),
        Mute(True),
        NewToken("crm", Role.SUPERVISOR, 90),
        MadeToken(_TOKEN, "offhook_..."),
        Revoked("tok_1"),
        Waiting("msg_1"),
        Leaving("phone-0:4f1c9a2e", 12),
        Me("token:crm", Role.SUPERVISOR, RANG + 7_776_000_000, None),
    )
    return {repr(kind): value for kind, value in [*pages.items(), *((type(v), v) for v in values)]}
