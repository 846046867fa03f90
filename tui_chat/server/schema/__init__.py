"""The database's tables, as numbered migrations in SQL that SQLite and PostgreSQL both take."""
