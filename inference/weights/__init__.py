"""From a single file to modules: names and sizes (pure), then tensors into models."""
