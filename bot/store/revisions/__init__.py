"""Alembic's environment and the revisions of the schema; run at every start by `open_database`."""
