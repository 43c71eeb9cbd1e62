"""The prompt language: text -> weighted runs -> chunks of tokens (pure)."""
