"""From the registry to the models this process answers with, and their swaps."""
