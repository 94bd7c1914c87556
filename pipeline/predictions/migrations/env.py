"""Alembic's environment: migrations run on the connection that the caller opened."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="predictions")
with context.begin_transaction():
    context.run_migrations()
