"""Adapters as deltas: parse a file's dialect (pure), then add to the live weights, and take out again exactly."""
