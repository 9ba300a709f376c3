"""Alembic's environment: runs the migrations on the connection in the configuration's attributes."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
