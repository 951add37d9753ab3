"""How Alembic runs our revisions: on the connection and in the transaction that `open_database` gives."""

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's DDL is transactional too, once sqlite3 no longer commits by itself
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
