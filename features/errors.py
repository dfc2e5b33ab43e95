"""Errors that say what was wrong, what was got and what to do next; they know no HTTP."""

from __future__ import annotations


class NextbestError(Exception):
    """A mistake the user can mend.

    Parameters
    ----------
    message : str
        What was wrong and what was got.
    remedy : str
        What to do next.

    Examples
    --------
    >>> str(NextbestError("'chrun' is no model.", remedy="Choose one of: churn, ctr."))
    "'chrun' is no model. Choose one of: churn, ctr."
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


class BadInputError(NextbestError):
    """Input that cannot be read as what it should be."""


class NoLogError(NextbestError):
    """There is no event log where one was expected."""


class UnknownFeatureError(NextbestError):
    """A name that no declared feature carries."""


class UnknownSpineError(NextbestError):
    """A spine that the log does not hold."""


class UnknownCustomerError(NextbestError):
    """A customer of whom nothing is stored."""


class UnknownCampaignError(NextbestError):
    """A campaign that nobody has described."""


class MissingContextError(NextbestError):
    """A feature needs a value of the request or row that was not given."""


class DeclarationError(NextbestError):
    """A feature declared in a way that has no meaning."""


class FeatureOverflowError(NextbestError):
    """A sum that does not fit 64 bits: refused, never wrapped."""


class StoreError(NextbestError):
    """The online store cannot be used as it is."""


class StoreReplacedError(StoreError):
    """The online store was filled again meanwhile: open it anew."""


class PastMomentError(NextbestError):
    """A moment was asked for that an online store, which knows the present, cannot answer."""
