"""The whole loop once, shown to a newcomer: every step is a public command line."""
