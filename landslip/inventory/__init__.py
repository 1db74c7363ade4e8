"""Labels of scenes' windows from an inventory of landslides, and windows without one."""
