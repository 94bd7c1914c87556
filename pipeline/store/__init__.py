"""The SQL store: its tables, migrations, and what is written to it."""
