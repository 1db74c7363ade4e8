"""Files that are whole or absent, tables, digests, logs and templates."""
