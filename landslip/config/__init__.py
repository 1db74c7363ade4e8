"""Every config key: its type, meaning, unit and range."""
