"""Configurations that ship with the package, so that single files load offline: no weights."""
