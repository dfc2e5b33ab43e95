"""From a request for a score to its answer."""
