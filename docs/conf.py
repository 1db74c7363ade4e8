"""How Sphinx builds the site: `make docs`. Pages load nothing from the net."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "landslip"
author = "The landslip maintainers"
copyright = "2026, The landslip maintainers"
html_title = "landslip"

extensions = [
    "myst_nb",  # pages in Markdown, and the notebook
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]

# A test runs the notebook; here it is shown with the outputs that it was saved with.
nb_execution_mode = "off"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# Docstrings are numpydoc's. Types in them are words, with shapes and units; `this` is code.
default_role = "code"
napoleon_google_docstring = False
napoleon_preprocess_types = False
napoleon_use_param = False
napoleon_use_rtype = False
autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "member-order": "bysource", "ignore-module-all": True}

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navbar_start": ["navbar-logo"],
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# The library's pages alone are many enough for a list beside them.
html_sidebars = {
    page.stem: []
    for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/*.ipynb")]
    if page.stem != "api"
}
html_show_sourcelink = False
html_copy_source = False
