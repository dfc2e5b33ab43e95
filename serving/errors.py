"""Errors of requests and of a service that is not ready; they know no HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from features.errors import NextbestError


class RequestError(NextbestError):
    """A request whose fields do not say what they must.

    Parameters
    ----------
    message, remedy : str
        As in every error of ours; made of declared names, never of the caller's values.
    fields : sequence of (str, str) or (str, str, str)
        Which field, what is wrong with it and, where each has its own, the remedy.
    """

    def __init__(
        self, message: str, *, remedy: str, fields: Sequence[tuple[str, ...]] = ()
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.fields = tuple(fields)


class RowError(NextbestError):
    """A row that cannot be scored, where all rows are answered or none.

    Parameters
    ----------
    row : int
        From 0.
    error : NextbestError
        What is wrong with it.
    """

    def __init__(self, row: int, error: NextbestError) -> None:
        super().__init__(f"Row {row}: {error.message}", remedy=error.remedy)
        self.row, self.error = row, error


class UnknownVersionError(NextbestError):
    """A version that is not the one being served."""


class NothingTakenError(RequestError):
    """A batch of events of which not one could be taken."""


class BadCursorError(RequestError):
    """A cursor that this list did not give out."""


class ForgottenError(NextbestError):
    """Changes since a moment from which on not all are remembered."""


class StaleCursorError(NextbestError):
    """A cursor into a list that was made from scores which have been replaced since."""


class TableError(NextbestError):
    """A body that is not the table its Content-Type says."""


class WrongOutputError(RequestError):
    """A question that needs a probability, asked of a model that gives segments."""


class OutsidePopulationError(NextbestError):
    """A customer for whom a model was not made, such as churn of one who left long ago."""


class NoChampionError(NextbestError):
    """A model of which no version is served.

    Examples
    --------
    >>> print(NoChampionError.of("churn"))
    'churn' has no champion. Train and promote one: python -m training churn --promote
    """

    @classmethod
    def of(cls, model: str) -> NoChampionError:
        """Return the error for a model of the catalogue."""
        return cls(
            f"{model!r} has no champion.",
            remedy=f"Train and promote one: python -m training {model} --promote",
        )


class NoCardError(NextbestError):
    """A champion published without a model card."""


class NoScoresError(NextbestError):
    """A list asked for before anything was scored in batch."""


class NotReadyError(NextbestError):
    """The service runs but lacks something it needs to answer."""


class CannotServeError(NextbestError):
    """The service cannot start: a port that is taken, a host that is not allowed."""


class BusyError(NextbestError):
    """More waits than the service takes; nothing of the request was taken."""


class TooSlowError(NextbestError):
    """A body of which no next part arrived in time."""


class NotWrittenError(NextbestError):
    """A commit that failed. Sending the same again is safe, whatever became of it."""

    @classmethod
    def of(cls) -> NotWrittenError:
        """Return the error that a caller is told."""
        return cls(
            "The database did not confirm that this is written.",
            remedy="Send the same again: what is written already is not written twice.",
        )


class NotCountedError(NextbestError):
    """Lines that are durable, while the online store could not be brought up to them."""

    @classmethod
    def of(cls) -> NotCountedError:
        """Return the error that a caller is told."""
        return cls(
            "This is written, but scores do not count it yet.",
            remedy="Send the same again: it is not written twice, and answered once it counts.",
        )
