"""The tables. The same in SQLite and PostgreSQL; `migrations/` brings a database to them.

Times are whole milliseconds since 1970 in UTC, so that both databases sort and subtract them
alike; lengths are milliseconds, too. Texts and numbers are stored as the privacy policy left
them: what may not be kept never gets this far.

A row of a call's record carries `rev`: the owner's generation times 2**32 plus a count. A record
that arrives late or twice never overwrites a newer one.
"""

from __future__ import annotations

from itertools import combinations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    true,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite counts rows by itself only where the key is an INTEGER.
_COUNTED = BigInteger().with_variant(Integer(), "sqlite")


def _call_id() -> Column[str]:
    return Column("call_id", String(200), primary_key=True)


def _rev() -> Column[int]:
    return Column("rev", BigInteger, nullable=False, server_default="0")


calls = Table(
    "calls",
    metadata,
    _call_id(),
    _rev(),
    Column("rang_at", BigInteger, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("provider", String(20), nullable=False),
    Column("model", String(128), nullable=False),
    Column("bot", String(128), nullable=False),
    Column("line", String(64)),  # its name in the file of lines
    Column("called", String(64)),  # the dialled number, which is the company's own
    Column("language", String(35), nullable=False),
    Column("replica", String(64)),  # who has, or had, the call
    # The caller: a keyed hash to find, a sealed or plain number to reveal, a mask to show.
    Column("caller_hash", String(64)),
    Column("caller_number", Text),
    Column("caller_masked", String(64)),
    Column("caller_name", Text),
    Column("accepted_at", BigInteger),
    Column("attached_at", BigInteger),
    Column("greeted_at", BigInteger),  # the caller first heard the bot
    Column("greeted", Boolean, nullable=False, server_default=false()),
    Column("ended_at", BigInteger),
    Column("reason", String(32)),
    Column("fault", String(16)),
    Column("detail", Text),
    Column("target", String(128)),  # to whom the caller was transferred
    Column("utterances", Integer, nullable=False, server_default="0"),
    Column("tools", Integer, nullable=False, server_default="0"),
    Column("length_ms", BigInteger, Computed("ended_at - accepted_at", persisted=True)),
    Column("cost_usd", Float),  # so far; null: a part of it has no known price
    Column("known_usd", Float, nullable=False, server_default="0"),  # what is known of the cost
    Column("prices", String(32)),  # the date of the table of prices that was used
    Column("consent", String(16)),  # noticed, given, refused
    Column("keep", Boolean, nullable=False, server_default=false()),  # a legal hold
    Column("purged_at", BigInteger),  # when the personal data was taken out
)

# Lists are of the newest first, narrowed by any of these: of calls that have ended, each of them
# and each pair has an index in that order (reading/plans.py). A call that goes on is in none of
# those, so that it is cheap to write anew; such calls are few, and have one of their own.
SAME = ("target", "reason", "fault", "bot", "line", "model")
LEAST = ("length_ms", "cost_usd")
ENDED = calls.c.ended_at.is_not(None)
LIVE = calls.c.ended_at.is_(None)
Index(None, calls.c.rang_at, calls.c.call_id)
Index(None, calls.c.caller_hash, calls.c.rang_at)
Index("ix_calls_live", calls.c.rang_at, calls.c.call_id, sqlite_where=LIVE, postgresql_where=LIVE)
for _names in (*((name,) for name in (*LEAST, *SAME)), *combinations(SAME, 2)):
    Index(
        f"ix_calls_{'_'.join(_names)}",
        *(calls.c[name] for name in (*_names, "rang_at", "call_id")),
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )

utterances = Table(
    "utterances",
    metadata,
    _call_id(),
    Column("item", String(128), primary_key=True),  # the cloud's id of it
    _rev(),
    Column("place", Integer, nullable=False),  # in spoken order, from 0
    Column("who", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", Text),  # null: not kept, or never understood
    Column("spoken_ms", Integer),
    Column("heard_ms", Integer),  # set if the caller cut in
)

tool_calls = Table(
    "tool_calls",
    metadata,
    _call_id(),
    Column("ref", String(128), primary_key=True),  # the cloud's id of the function call
    _rev(),
    Column("name", String(64), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("arguments", Text),
    Column("outcome", String(24), nullable=False),  # running, answered, timed_out, ...
    Column("output", Text),
    Column("error", Text),
)
Index(None, tool_calls.c.name, tool_calls.c.asked_at)

transfers = Table(
    "transfers",
    metadata,
    _call_id(),
    Column("n", Integer, primary_key=True),
    _rev(),
    Column("target", String(128), nullable=False),
    Column("reason", Text),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", String(16)),
    Column("detail", Text),
)

turns = Table(
    "turns",
    metadata,
    _call_id(),
    Column("item", String(128), primary_key=True),  # the caller's utterance that began it
    _rev(),
    Column("n", Integer, nullable=False),
    Column("stopped_at", BigInteger, nullable=False),  # the cloud told us that the caller stopped
    Column("speech_ended_at", BigInteger),  # null: unknown, as with semantic VAD
    Column("response_at", BigInteger),
    Column("audio_at", BigInteger),
    Column("latency_ms", Integer),  # from the end of speech to the first audio out
    Column("tool_ms", Integer),
    Column("own_ms", Integer),  # our own share
)
Index(None, turns.c.stopped_at, turns.c.latency_ms)

usage = Table(
    "usage",
    metadata,
    _call_id(),
    Column("ref", String(128), primary_key=True),  # of the response, or of the item transcribed
    _rev(),
    Column("at", BigInteger, nullable=False),
    Column("model", String(128), nullable=False),
    Column("kind", String(16), nullable=False),  # response or transcription
    # Input tokens that were not cached, and those that were: together they are the input.
    Column("text_in", Integer, nullable=False, server_default="0"),
    Column("audio_in", Integer, nullable=False, server_default="0"),
    Column("image_in", Integer, nullable=False, server_default="0"),
    Column("text_cached", Integer, nullable=False, server_default="0"),
    Column("audio_cached", Integer, nullable=False, server_default="0"),
    Column("image_cached", Integer, nullable=False, server_default="0"),
    Column("text_out", Integer, nullable=False, server_default="0"),
    Column("audio_out", Integer, nullable=False, server_default="0"),
    Column("seconds", Float),  # of audio, where transcription is paid for by its length
    Column("known", Boolean, nullable=False, server_default=true()),  # false: we were not told
)
Index(None, usage.c.at)

moments = Table(  # what happened to the call itself, for its timeline
    "moments",
    metadata,
    _call_id(),
    Column("n", Integer, primary_key=True),
    _rev(),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("detail", Text),
)

consents = Table(  # the evidence: what was said to the caller, and what came of it
    "consents",
    metadata,
    _call_id(),
    Column("n", Integer, primary_key=True),
    _rev(),
    Column("at", BigInteger, nullable=False),
    Column("policy", String(16), nullable=False),
    Column("language", String(35), nullable=False),
    Column("version", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", String(16), nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _COUNTED, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("delivery_id", String(200)),
    Column("event_type", String(64)),
    Column("call_id", String(200)),
    Column("result", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("took_us", Integer, nullable=False),
)
Index(None, deliveries.c.at)
Index(None, deliveries.c.call_id)

audit = Table(  # append-only, each entry chained to the last by its hash
    "audit",
    metadata,
    Column("n", _COUNTED, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(200)),
    Column("address", String(64)),  # where the actor came from
    Column("reason", Text),
    Column("detail", Text),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
Index(None, audit.c.at)
Index(None, audit.c.subject)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

passes = Table(  # what opens the door for a while: a link, a sign-in under way, a session
    "passes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("who", String(128), nullable=False),
    Column("role", String(16)),
    Column("detail", Text),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index(None, passes.c.expires_at)

outbox = Table(  # webhooks that we owe to others
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("call_id", String(200)),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),  # waiting, sent, dead
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", BigInteger),
    Column("sent_at", BigInteger),
    Column("error", Text),
)
Index(None, outbox.c.state, outbox.c.next_at)
Index(None, outbox.c.call_id)

switches = Table(  # what all replicas obey, such as outage mode
    "switches",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("set_by", String(128), nullable=False),
    Column("reason", Text),
)

replicas = Table(  # the processes that share the calls; a row for each, beating
    "replicas",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(8), nullable=False),  # serving, leaving, gone
    Column("beats", BigInteger, nullable=False, server_default="0"),
    Column("capacity", Integer, nullable=False),
    Column("live", Integer, nullable=False, server_default="0"),
    Column("version", String(32), nullable=False),
    Column("host", String(255), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("told_to_leave", Boolean, nullable=False, server_default=false()),  # from outside
)

leases = Table(  # whose a call is
    "leases",
    metadata,
    _call_id(),
    Column("owner", String(64), nullable=False),
    Column("fence", BigInteger, nullable=False),  # grows with each new owner
    Column("heir", String(64)),  # who takes it over from an owner that leaves
    Column("heir_ready", Boolean, nullable=False, server_default=false()),
    Column("rang_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)
Index(None, leases.c.owner, leases.c.ended_at)
Index(None, leases.c.heir)
Index(None, leases.c.ended_at)

checkpoints = Table(  # what another process needs to go on with a call; empty once it is over
    "checkpoints",
    metadata,
    _call_id(),
    _rev(),
    Column("at", BigInteger, nullable=False),
    Column("state", Text),  # sealed; read by nobody but the next owner
)
Index(None, checkpoints.c.at)

# What is on record of a call, beside its row in `calls`.
OF_A_RECORD = (
    utterances,
    tool_calls,
    transfers,
    turns,
    usage,
    moments,
    consents,
    deliveries,
    outbox,
)
