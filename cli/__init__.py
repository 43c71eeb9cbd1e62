"""The `modelhub` command: parses, calls the packages below, and shows what they give back."""
