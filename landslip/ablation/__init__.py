"""Study stage: variants of the models, their tables, and what each part of the ensemble brings."""
