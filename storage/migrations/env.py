"""Alembic's entry: migrates the connection it is handed, inside the transaction that connection is in."""

from alembic import context
from alembic.ddl.sqlite import SQLiteImpl

from storage.tables import metadata

connection = context.config.attributes["connection"]
# SQLite can roll DDL back when the transaction was begun by hand, as it is here.
SQLiteImpl.transactional_ddl = True
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
