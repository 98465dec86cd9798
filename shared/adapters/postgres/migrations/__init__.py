"""The schema, step by step; Alembic runs `env.py` and the steps in `versions`."""
