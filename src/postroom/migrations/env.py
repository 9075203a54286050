"""Alembic's entry: runs the migrations on the connection that it is given, in the caller's transaction."""

from alembic import context

from postroom.kit.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
