"""From a table in a request's body to a table of answers."""
