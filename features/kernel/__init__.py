"""The kernel: the one piece of code that turns a customer's events into values.

It is plain Python over integers, compiled by numba in `features.jit`. Everything it must know
stands in the tables that `features.plan` makes from declarations, so that adding a feature never
touches it. Read `fold` first.
"""

from features.kernel.states import NO_CODE, NULL, UNSEEN

__all__ = ["NO_CODE", "NULL", "UNSEEN"]
