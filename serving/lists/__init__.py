"""From a question to a next-best-prospect list."""
