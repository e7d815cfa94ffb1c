"""Alembic's migrations of the store, shipped in the wheel as `memagent.migrations`."""
