"""Features against peers, limits and scale, in one run: ``make bench-features``."""
