"""HTML templates, which lie in the folder `templates` beside the module that fills them."""

from pathlib import Path

import jinja2


def template_environment(module: str) -> jinja2.Environment:
    """Templates of a module, given its `__file__`; values are escaped, unknown names refused."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(module).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
