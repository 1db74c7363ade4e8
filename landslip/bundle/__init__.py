"""Bundle stage: a trained ensemble in one folder, and its answers for new patches."""
