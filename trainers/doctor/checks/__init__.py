"""What is looked for, one file a sort of trouble: each has `check(seen)`, which yields findings."""
