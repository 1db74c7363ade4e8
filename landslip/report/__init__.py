"""Report stage: figures, tables and the page."""
