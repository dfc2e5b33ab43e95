"""Challengers that score what champions answer, and are never heard by callers."""
