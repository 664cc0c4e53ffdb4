"""What we tell others of a call, made from its facts: no words, and of numbers only the mask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct, json

from offhook.store.facts import AnyFact, CallFact, TransferFact

CALL_ENDED: Final = "call.ended"
TRANSFER_FAILED: Final = "transfer.failed"
FAILED: Final = frozenset({"refused", "still_here"})  # how an attempt ends that came to nothing


class Owed(Struct, frozen=True, kw_only=True, tag_field="is", tag="outbox"):
    """A new letter, its fields columns of `outbox`."""

    id: str
    kind: str
    call_id: str
    url: str
    body: str
    made_at: int
    next_at: int
    state: str = "waiting"
    tries: int = 0


def owed(facts: Iterable[AnyFact], urls: Sequence[str], now_ms: int) -> list[Owed]:
    """The letters that follow from facts: for each event and address one, by what is newest.

    The id follows from what is told to whom, so that a fact that is written twice is told once.
    """
    made: dict[str, Owed] = {}
    for kind, call_id, n, body in _told(facts) if urls else ():
        for url in urls:
            name = _id(kind, call_id, str(n), url)
            made[name] = Owed(
                id=name,
                kind=kind,
                call_id=call_id,
                url=url,
                body=body,
                made_at=now_ms,
                next_at=now_ms,
            )
    return list(made.values())


def _told(facts: Iterable[AnyFact]) -> Iterator[tuple[str, str, int, str]]:
    for fact in facts:
        match fact:
            case CallFact(ended_at=int(at)):
                yield CALL_ENDED, fact.call_id, 0, _body(CALL_ENDED, at, _of_call(fact, at))
            case TransferFact(ended_at=int(at), outcome=str(outcome)) if outcome in FAILED:
                data = _of_transfer(fact, at)
                yield TRANSFER_FAILED, fact.call_id, fact.n, _body(TRANSFER_FAILED, at, data)


def _of_call(fact: CallFact, ended_at: int) -> dict[str, Any]:
    return {
        "call_id": fact.call_id,
        "rang_at": _iso(fact.rang_at),
        "ended_at": _iso(ended_at),
        "length_ms": None if fact.accepted_at is None else ended_at - fact.accepted_at,
        "reason": fact.reason,
        "fault": fact.fault,
        "target": fact.target,
        "caller": fact.caller_masked,
        "line": fact.line,
        "called": fact.called,
        "bot": fact.bot,
        "model": fact.model,
        "language": fact.language,
        "utterances": fact.utterances,
        "tools": fact.tools,
    }


def _of_transfer(fact: TransferFact, ended_at: int) -> dict[str, Any]:
    """Without reason and detail: what the model wrote may name the caller."""
    return {
        "call_id": fact.call_id,
        "attempt": fact.n,
        "target": fact.target,
        "outcome": fact.outcome,
        "began_at": _iso(fact.began_at),
        "ended_at": _iso(ended_at),
    }


def _body(kind: str, at: int, data: dict[str, Any]) -> str:
    """The payload as Standard Webhooks recommends it: type, timestamp, data."""
    return json.encode({"type": kind, "timestamp": _iso(at), "data": data}).decode()


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _id(*parts: str) -> str:
    return "msg_" + sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
