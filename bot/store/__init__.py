"""Tables, queries and schema revisions: SQLite and PostgreSQL behind one contract."""
