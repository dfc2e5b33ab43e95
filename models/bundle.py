"""A published model: a folder of plain files that proves itself when it is loaded."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from features.errors import NextbestError
from models.blend import Blend
from models.booster import Booster
from models.calibrator import Calibrator
from models.clusters import Clusters
from models.encoder import Encoder
from models.evidence import Evidence
from models.golden import Engine, Golden
from models.grades import Cuts
from models.intervals import Intervals
from models.linear import Linear
from models.manifest import BundleError, read_folder, read_json, to_bytes, write_folder
from models.published import PublishedSpec
from models.reference import Reference
from models.verification import remedy_for, verify

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Bundle", "BundleError", "Engine"]

T = TypeVar("T")

ENGINES = ("booster.txt", "linear.json", "segments.npz")
BLEND = ["booster.txt", "linear.json"]
"""Both of them are one engine, whose margin is their sum."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Everything a score needs: encoder -> engine -> calibrator, and what they mean.

    Attributes
    ----------
    spec : PublishedSpec
    encoder : Encoder
    engine : Booster, Linear, Blend or Clusters
    calibrator : Calibrator
        Identity for clusters.
    reference : Reference
    golden : Golden
    card_markdown, card_html : str
        The model card.
    intervals : Intervals or None
        For one customer's true probability; a version may have been published without.
    evidence : Evidence or None
        Counts of the training rows, for the reasons; the same holds.
    """

    spec: PublishedSpec
    encoder: Encoder
    engine: Engine
    calibrator: Calibrator
    reference: Reference
    golden: Golden
    card_markdown: str = ""
    card_html: str = ""
    intervals: Intervals | None = None
    evidence: Evidence | None = None

    @classmethod
    def of(
        cls,
        spec: PublishedSpec,
        encoder: Encoder,
        engine: Engine,
        calibrator: Calibrator,
        X: Any,
        *,
        card_markdown: str = "",
        card_html: str = "",
        intervals: Intervals | None = None,
        evidence: Evidence | None = None,
        cuts: Cuts = (),
    ) -> Bundle:
        """Return a bundle with reference and golden rows made from encoded reference rows X.

        Grades keep the cut points given; without any they are cut on X.
        """
        if isinstance(engine, Clusters):
            reference = Reference.fit(X, encoder)
        else:
            margins = engine.margins(X)
            reference = Reference.fit(X, encoder, margins, calibrator.probability(margins), cuts)
        golden = Golden.make(encoder, engine, calibrator, reference)
        return cls(
            spec, encoder, engine, calibrator, reference, golden,
            card_markdown, card_html, intervals, evidence,
        )  # fmt: skip

    def save(self, folder: Path) -> Path:
        """Write the files as a new folder, which appears whole or not at all; returns it.

        Raises
        ------
        BundleError
            The folder exists, or something is no plain value.
        """
        plain = {
            "spec.json": self.spec.to_json(),
            "encoder.json": self.encoder.to_json(),
            "calibrator.json": self.calibrator.to_json(),
            "reference.json": self.reference.to_json(),
            "golden.json": self.golden.to_json(),
        }
        files = {name: to_bytes(value, name) for name, value in plain.items()}
        for name, table in (("intervals", self.intervals), ("evidence", self.evidence)):
            if table is not None:
                files[f"{name}.json"] = to_bytes(table.to_json(), f"{name}.json")
        files["card.md"] = self.card_markdown.encode()
        files["card.html"] = self.card_html.encode()
        return write_folder(folder, files | _files_of(self.engine))

    @classmethod
    def load(cls, folder: Path, version: str | None = None) -> Bundle:
        """Return the bundle of a folder, each file compared with its hash.

        Parameters
        ----------
        folder : Path
        version : str, optional
            The registry's number, which it gave after the files had been written.

        Raises
        ------
        BundleError
            Naming the file, what was found, what was expected and the remedy.
        """
        remedy = remedy_for("all")
        files = read_folder(folder, remedy)

        def part(name: str, make: Callable[[bytes], T]) -> T:
            if name not in files:
                raise BundleError(
                    name, found="nothing", expected="a file of the manifest", remedy=remedy
                )
            try:
                return make(files[name])
            except BundleError:
                raise
            except (NextbestError, ValueError, TypeError, LookupError, AttributeError) as error:
                raise BundleError(
                    name,
                    found=f"{type(error).__name__}: {str(error).rstrip('.')}",
                    expected="what was published",
                    remedy=remedy,
                ) from error

        def plain(name: str, make: Callable[[dict[str, Any]], T]) -> T:
            return part(name, lambda content: make(read_json(content, name, remedy)))

        present = [name for name in ENGINES if name in files]
        if len(present) != 1 and present != BLEND:
            raise BundleError(
                "manifest.json",
                found=" and ".join(present) or "none",
                expected=f"exactly one of {', '.join(ENGINES)}, or {' and '.join(BLEND)}",
                remedy=remedy,
            )
        made: dict[str, Callable[[], Any]] = {
            "booster.txt": lambda: part("booster.txt", lambda content: Booster(content.decode())),
            "linear.json": lambda: plain("linear.json", Linear.from_json),
            "segments.npz": lambda: part("segments.npz", lambda c: Clusters.load(io.BytesIO(c))),
        }
        engines = [made[name]() for name in present]
        engine: Engine = engines[0] if len(engines) == 1 else Blend(engines[1], engines[0])
        spec = plain("spec.json", PublishedSpec.from_json)
        return cls(
            spec if version is None else replace(spec, version=version),
            plain("encoder.json", Encoder.from_json),
            engine,
            plain("calibrator.json", Calibrator.from_json),
            plain("reference.json", Reference.from_json),
            plain("golden.json", Golden.from_json),
            part("card.md", bytes.decode),
            part("card.html", bytes.decode),
            plain("intervals.json", Intervals.from_json) if "intervals.json" in files else None,
            plain("evidence.json", Evidence.from_json) if "evidence.json" in files else None,
        )

    def verify(self, feature_hash: str | None = None) -> None:
        """Recompute the golden rows and compare the features' hash with the catalogue's.

        Parameters
        ----------
        feature_hash : str, optional
            By default that of the features which `models.catalog` declares for this model.

        Raises
        ------
        BundleError
            An answer differs, or the catalogue computes other features than the model learnt.
        """
        verify(self, feature_hash)


def _files_of(engine: Engine) -> dict[str, bytes]:
    if isinstance(engine, Blend):
        return _files_of(engine.booster) | _files_of(engine.linear)
    if isinstance(engine, Booster):
        return {"booster.txt": engine.text.encode()}
    if isinstance(engine, Linear):
        return {"linear.json": to_bytes(engine.to_json(), "linear.json")}
    buffer = io.BytesIO()
    engine.save(buffer)
    return {"segments.npz": buffer.getvalue()}
