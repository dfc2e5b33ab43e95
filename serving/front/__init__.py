"""What stands before the routes: limits, counts, the short cut of scores, and the last word."""
