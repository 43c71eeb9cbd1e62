"""Images from models in the catalog.

`generate` is the one path that every picture takes: a request is resolved against the catalog, every pairing
is checked, the engine draws, and the picture carries the resolved request. Import the modules directly; those
that need torch are only `engine`, `generate` and what they use.
"""

from inference._torchvision import mend_on_import

mend_on_import()
