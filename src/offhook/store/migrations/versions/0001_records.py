"""The records of calls."""

from __future__ import annotations

from itertools import combinations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SAME = ("target", "reason", "fault", "bot", "line", "model")


def _index_some(name: str, columns: tuple[str, ...], where: str) -> None:
    """An index of some calls only."""
    some = sa.text(where)
    op.create_index(f"ix_calls_{name}", "calls", columns, sqlite_where=some, postgresql_where=some)


def upgrade() -> None:
    """Bring the tables from the step before to this one."""
    op.create_table(
        "audit",
        sa.Column(
            "n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)

    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rang_at", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("bot", sa.String(length=128), nullable=False),
        sa.Column("line", sa.String(length=64), nullable=True),
        sa.Column("called", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("replica", sa.String(length=64), nullable=True),
        sa.Column("caller_hash", sa.String(length=64), nullable=True),
        sa.Column("caller_number", sa.Text(), nullable=True),
        sa.Column("caller_masked", sa.String(length=64), nullable=True),
        sa.Column("caller_name", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("attached_at", sa.BigInteger(), nullable=True),
        sa.Column("greeted_at", sa.BigInteger(), nullable=True),
        sa.Column("greeted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("fault", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("target", sa.String(length=128), nullable=True),
        sa.Column("utterances", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tools", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "length_ms", sa.BigInteger(), sa.Computed("ended_at - accepted_at", persisted=True)
        ),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("known_usd", sa.Float(), server_default="0", nullable=False),
        sa.Column("prices", sa.String(length=32), nullable=True),
        sa.Column("consent", sa.String(length=16), nullable=True),
        sa.Column("keep", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_calls")),
    )
    for columns in (("rang_at", "call_id"), ("caller_hash", "rang_at")):
        op.create_index(op.f(f"ix_calls_{'_'.join(columns)}"), "calls", columns)
    _index_some("live", ("rang_at", "call_id"), "ended_at IS NULL")
    for same in (
        *((name,) for name in ("length_ms", "cost_usd", *_SAME)),
        *combinations(_SAME, 2),
    ):
        _index_some("_".join(same), (*same, "rang_at", "call_id"), "ended_at IS NOT NULL")

    op.create_table(
        "consents",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "n", name=op.f("pk_consents")),
    )
    op.create_table(
        "deliveries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.String(length=200), nullable=True),
        sa.Column("event_type", sa.String(length=64), nullable=True),
        sa.Column("call_id", sa.String(length=200), nullable=True),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("took_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_call_id"), ["call_id"], unique=False)

    op.create_table(
        "moments",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "n", name=op.f("pk_moments")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=200), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_call_id"), ["call_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_outbox_state_next_at"), ["state", "next_at"], unique=False
        )

    op.create_table(
        "passes",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_passes")),
    )
    with op.batch_alter_table("passes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
    )
    op.create_table(
        "tool_calls",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "ref", name=op.f("pk_tool_calls")),
    )
    with op.batch_alter_table("tool_calls", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tool_calls_name_asked_at"), ["name", "asked_at"], unique=False
        )

    op.create_table(
        "transfers",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "n", name=op.f("pk_transfers")),
    )
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=False),
        sa.Column("speech_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("response_at", sa.BigInteger(), nullable=True),
        sa.Column("audio_at", sa.BigInteger(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("tool_ms", sa.Integer(), nullable=True),
        sa.Column("own_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "item", name=op.f("pk_turns")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_turns_stopped_at_latency_ms"), ["stopped_at", "latency_ms"], unique=False
        )

    op.create_table(
        "usage",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text_in", sa.Integer(), server_default="0", nullable=False),
        sa.Column("audio_in", sa.Integer(), server_default="0", nullable=False),
        sa.Column("image_in", sa.Integer(), server_default="0", nullable=False),
        sa.Column("text_cached", sa.Integer(), server_default="0", nullable=False),
        sa.Column("audio_cached", sa.Integer(), server_default="0", nullable=False),
        sa.Column("image_cached", sa.Integer(), server_default="0", nullable=False),
        sa.Column("text_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("audio_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("known", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "ref", name=op.f("pk_usage")),
    )
    with op.batch_alter_table("usage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_usage_at"), ["at"], unique=False)

    op.create_table(
        "utterances",
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=8), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("spoken_ms", sa.Integer(), nullable=True),
        sa.Column("heard_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "item", name=op.f("pk_utterances")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("set_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    _guard_the_audit_log()


def _guard_the_audit_log() -> None:
    """Entries are only added at the end; old ones go only if the newest is an anchor that says so.

    `store/audit.py` chains them; this keeps a mistake in a query from breaking the chain.
    """
    anchored = """EXISTS (
        SELECT 1 FROM audit WHERE n = (SELECT max(n) FROM audit) AND action = 'audit.pruned'
        AND n > OLD.n AND CAST(subject AS BIGINT) >= OLD.n)"""
    why = "the audit log is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for event, when in (
            ("UPDATE", "1"),
            ("DELETE", f"NOT {anchored}"),
            ("INSERT", "NEW.n <= (SELECT max(n) FROM audit)"),  # REPLACE fires no DELETE
        ):
            op.execute(
                f"CREATE TRIGGER audit_{event.lower()} BEFORE {event} ON audit WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
            )
        return
    op.execute(
        f"""CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' THEN IF {anchored} THEN RETURN OLD; END IF; END IF;
        RAISE EXCEPTION '{why}'; END $$"""
    )
    op.execute(
        "CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_guard()"
    )
    op.execute(
        "CREATE TRIGGER audit_all BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()"
    )
