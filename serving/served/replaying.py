"""python -m serving replay SCORE_ID: a score of the past, computed again and compared bit for bit.

Only what was logged and the published version are read: neither customers nor the catalogue's
features of today, which may have changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import NextbestError
from features.score_id import ScoreIdError
from features.served import Served, ServedStore
from serving.served.answer import differences, logged_answer

if TYPE_CHECKING:
    from models.bundle import Bundle
    from serving.champions.poller import Registry
    from serving.settings import ServingSettings


class VersionGoneError(NextbestError):
    """A version that is neither in the cache nor in the registry."""


class HashDiffersError(NextbestError):
    """A version whose features are not those of the score."""


def run(score_id: str, settings: ServingSettings) -> int:
    """Print whether a score is the same again; returns 0 if it is, else 1.

    Raises
    ------
    NextbestError
        It was not logged, or its version cannot be had; see `replay` and `bundle_of`.
    """
    from models.registry import prepare

    def connect() -> Registry:
        return prepare(settings.home, settings.tracking_uri or None)

    with closing(ServedStore.open(settings.home, settings.database_url or None)) as store:
        row = found(store, score_id)
    bundle = bundle_of(row.model, row.version, settings.cache, connect)
    differ = differences(row.answer, again(row, bundle))
    print(f"{row.model} {row.version}, score {row.score_id}: {'differs' if differ else 'equal'}")
    if row.shadow_of:
        print(f"  a challenger's, never returned; what was served is score {row.shadow_of}")
    for name, (kept, computed) in differ.items():
        print(f"  {name}: served {kept!r}, computed {computed!r}")
    if not differ:
        print("  " + ", ".join(f"{name} {value!r}" for name, value in row.answer.items()))
    return int(bool(differ))


def found(store: ServedStore, score_id: str) -> Served:
    """Return a score as it was logged.

    Raises
    ------
    ScoreIdError
        The text is no id, or the score is not in the log.
    """
    row = store.find(score_id)
    if row is None:
        raise ScoreIdError(
            f"Score {score_id} is not in the log.",
            remedy="It was outside the sample, is older than NEXTBEST_LOG_DAYS, was erased, or is "
            "in another database. NEXTBEST_LOG_SERVED=1 logs every score.",
        )
    return row


def bundle_of(model: str, version: str, cache: Path, connect: Callable[[], Registry]) -> Bundle:
    """Return a published version from the cache, else from the registry; checked by its hashes.

    Raises
    ------
    VersionGoneError
        Neither has it.
    BundleError
        It is not as it was published.
    """
    from models.bundle import Bundle

    folder = cache / model / version
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            connect().download(model, version, folder)
        except Exception as error:  # the boundary: a registry raises whatever its backend does
            why = error.message if isinstance(error, NextbestError) else type(error).__name__
            raise VersionGoneError(
                f"Version {version} of {model!r} is not in {cache}, and the registry does not "
                f"give it: {why.rstrip('.')}.",
                remedy="Set MLFLOW_TRACKING_URI to the registry that published it, or restore "
                "the version.",
            ) from error
    bundle = Bundle.load(folder, version)
    bundle.verify(bundle.spec.feature_hash)  # the catalogue of today is not asked
    return bundle


def again(row: Served, bundle: Bundle) -> dict[str, Any]:
    """Return what a version answers to the logged values, as `logged_answer` keeps it.

    Raises
    ------
    HashDiffersError
        The version was published with other features.
    """
    from models.score import Scorer

    if bundle.spec.feature_hash != row.catalogue:
        raise HashDiffersError(
            f"Version {row.version} of {row.model!r} has the feature hash "
            f"{bundle.spec.feature_hash}, the score was made with {row.catalogue}.",
            remedy="This registry or cache holds another version of that number; use the one "
            "that the score was served from.",
        )
    values = [row.values[name] for name in bundle.encoder.names]
    scored = Scorer(bundle).score(
        values, row.as_of, sequence=row.sequence, has_events=row.has_events
    )
    return logged_answer(scored)
