"""Groups of options that belong together, one file each: of `generate`, of `dataset`, and (training/) of `train`."""
