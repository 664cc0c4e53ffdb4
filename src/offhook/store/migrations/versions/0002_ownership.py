"""Whose a call is, where several processes share them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables from the step before to this one."""
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("beats", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("told_to_leave", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replicas")),
    )
    op.create_table(
        "leases",
        sa.Column("call_id", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("heir", sa.String(64)),
        sa.Column("heir_ready", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rang_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_leases")),
    )
    op.create_index(op.f("ix_leases_owner_ended_at"), "leases", ["owner", "ended_at"])
    op.create_index(op.f("ix_leases_heir"), "leases", ["heir"])
    op.create_index(op.f("ix_leases_ended_at"), "leases", ["ended_at"])
    op.create_table(
        "checkpoints",
        sa.Column("call_id", sa.String(200), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text()),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_checkpoints")),
    )
    op.create_index(op.f("ix_checkpoints_at"), "checkpoints", ["at"])
