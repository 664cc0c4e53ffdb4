"""What Alembic runs: the steps, on the connection that it was given."""

from __future__ import annotations

from alembic import context

from offhook.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite can change few things of a table in place
)
with context.begin_transaction():
    context.run_migrations()
