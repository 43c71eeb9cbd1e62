"""Which copy of a training is best, and how strongly it is best used: measured on pictures it did not learn from."""
