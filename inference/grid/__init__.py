"""Pictures side by side that differ in up to three things: which, in what order, and on one sheet (no torch)."""
