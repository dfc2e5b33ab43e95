"""How fast scores are served, beside an endpoint that does nothing."""
