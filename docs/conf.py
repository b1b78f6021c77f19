"""Sphinx settings: pages in Markdown, the reference read off the interpreted form."""

import os
import sys
from pathlib import Path

os.environ["ZBUF_PURE"] = "1"  # compiled methods carry no annotations; the sources do
os.environ.pop("ZBUF_REQUIRE_COMPILED", None)
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext"), str(HERE.parent / ".ci")]

import zbuf  # noqa: E402  (found through the path set above)

project = "zbuf"
author = "the zbuf authors"
project_copyright = "the zbuf authors, Apache-2.0"
version = release = zbuf.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "rooms"]
exclude_patterns = ["_build", "_ext", "examples/README.md"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"zbuf {release}"
html_show_sourcelink = False
