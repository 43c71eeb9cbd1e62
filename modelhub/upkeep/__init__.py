"""The jobs over a whole collection, each through the public methods of a `Catalog`: scan, watch, verify, and so on."""
