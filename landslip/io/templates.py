"""HTML pages: templates in a folder `templates` beside the module that fills them.

All extend `base.html`; it and the macros that pages share lie in the folder beside this module.
"""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd


def template_environment(module: str) -> jinja2.Environment:
    """Templates of a module, given its `__file__`; values are escaped, unknown names refused."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(
            [Path(file).parent / "templates" for file in (module, __file__)]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts, None where a cell is empty."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
