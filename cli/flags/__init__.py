"""Groups of options that belong together, one file each: what `generate` can be told."""
