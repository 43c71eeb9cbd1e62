"""Pictures made larger: by interpolation, or by models made for it."""
