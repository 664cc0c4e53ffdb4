"""One call is read with all its parts, in the order in which they happened."""

from __future__ import annotations

from offhook.store.database import Database
from offhook.store.reading import call, timeline, tool_calls, transcript
from offhook.store.schema import moments, transfers, turns, utterances
from offhook.store.schema import tool_calls as tool_table
from support.made_calls import NOON, put, put_calls, row, said


async def a_call(database: Database) -> None:
    await put_calls(database, [row("a", caller_name="Ann"), row("b")])
    await put(
        database,
        utterances,
        [
            said("a", 1, "Where is my order?", at=NOON + 3000),
            said("a", 0, "Hello there, this is ACME.", at=NOON + 900, who="bot")
            | {"spoken_ms": 2600, "heard_ms": 1300},
            said("a", 2, None, at=NOON + 9000),
            said("b", 0, "Another call.", at=NOON),
        ],
    )
    await put(
        database,
        tool_table,
        [
            {"call_id": "a", "ref": "fc_1", "name": "lookup", "asked_at": NOON + 4000}
            | {"ended_at": NOON + 4120, "arguments": "{}", "outcome": "answered", "output": "ok"},
            {"call_id": "a", "ref": "fc_2", "name": "wait", "asked_at": NOON + 5000}
            | {"ended_at": None, "arguments": None, "outcome": "running", "output": None},
        ],
    )
    await put(
        database,
        transfers,
        [{"call_id": "a", "n": 0, "target": "desk", "began_at": NOON + 6000, "outcome": "refused"}],
    )
    await put(
        database,
        moments,
        [
            {"call_id": "a", "n": 1, "at": NOON + 900, "kind": "greeted"},
            {"call_id": "a", "n": 0, "at": NOON, "kind": "rang"},
        ],
    )
    turn = {"call_id": "a", "item": "item_1", "n": 0, "stopped_at": NOON, "latency_ms": 640}
    await put(database, turns, [turn])


async def test_an_unknown_call_is_none(database: Database) -> None:
    async with database.read() as connection:
        assert await call(connection, "a") is None
        assert await transcript(connection, "a") is None
        assert await timeline(connection, "a") == ()
        assert await tool_calls(connection, "a") == ()


async def test_a_record_has_everything_of_its_call_and_nothing_of_another(
    database: Database,
) -> None:
    await a_call(database)
    async with database.read() as connection:
        record = await call(connection, "a")
    assert record is not None
    assert (record.call.call_id, record.caller_name) == ("a", "Ann")
    assert [each.item for each in record.transcript] == ["item_0", "item_1", "item_2"]
    assert [each.ref for each in record.tool_calls] == ["fc_1", "fc_2"]
    assert [each.outcome for each in record.transfers] == ["refused"]
    assert [each.latency_ms for each in record.turns] == [640]
    assert [each.kind for each in record.moments] == ["rang", "greeted"]
    assert (record.usage, record.consents, record.deliveries) == ((), (), ())


async def test_a_transcript_tells_what_was_not_heard(database: Database) -> None:
    await a_call(database)
    async with database.read() as connection:
        found = await transcript(connection, "a")
    assert found is not None
    assert found.began_at == NOON + 200
    hello, order, silence = found.utterances
    assert (hello.heard, hello.unheard) == ("Hello there,", "this is ACME.")
    assert (order.heard, order.unheard) == ("Where is my order?", "")
    assert (silence.text, silence.heard, silence.unheard) == (None, None, None)


async def test_a_tool_that_runs_has_no_length_yet(database: Database) -> None:
    await a_call(database)
    async with database.read() as connection:
        found = await tool_calls(connection, "a")
    assert [(each.name, each.took_ms) for each in found] == [("lookup", 120), ("wait", None)]


async def test_a_timeline_is_one_order_of_all_that_happened(database: Database) -> None:
    await a_call(database)
    async with database.read() as connection:
        found = await timeline(connection, "a")
    assert [(each.at - NOON, each.kind) for each in found] == [
        (0, "moment"),
        (900, "moment"),
        (900, "utterance"),
        (3000, "utterance"),
        (4000, "tool"),
        (5000, "tool"),
        (6000, "transfer"),
        (9000, "utterance"),
    ]
    assert all(getattr(each, each.kind) is not None for each in found)
