"""Files that are missing, damaged or not what they were are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import BadInputError
from features.sources.complete_journey import ingest_complete_journey
from features.sources.complete_journey.files import opened, package_folder
from tests.small_grocer import Grocer, grocer


@pytest.fixture(scope="module")
def shop() -> Grocer:
    return grocer()


def test_a_row_that_refers_to_nothing_known_is_refused_and_not_lost(
    shop: Grocer, tmp_path: Path
) -> None:
    campaigns = [*shop.tables["campaigns"], {"campaign_id": 99, "household_id": 7}]
    Grocer({**shop.tables, "campaigns": campaigns}).write(tmp_path / "files")
    done = ingest_complete_journey(tmp_path, impressions=0, folder=tmp_path / "files")
    assert done.rejected == 1
    assert done.quarantine is not None
    assert "campaigns.parquet,6,occurred_at,null" in done.quarantine.read_text()


def test_without_the_package_the_error_names_what_to_install() -> None:
    with pytest.raises(BadInputError, match=r"pip install nextbest\[demo\]"):
        package_folder("a_package_that_nobody_has")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInputError, match=r"transactions\.parquet is missing"),
        opened(tmp_path),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"no parquet"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "transactions.parquet").write_bytes(content)
    with (
        pytest.raises(BadInputError, match=r"transactions\.parquet cannot be read: .* Install"),
        opened(tmp_path),
    ):
        pass


def test_a_file_without_a_column_is_named(shop: Grocer, tmp_path: Path) -> None:
    rows = [{"product_id": 1, "brand": "x"}]
    Grocer({**shop.tables, "products": rows}).write(tmp_path)
    with (
        pytest.raises(BadInputError, match=r"products\.parquet cannot be read: .*product_category"),
        opened(tmp_path),
    ):
        pass


def test_an_amount_that_is_not_in_whole_cents_is_refused(shop: Grocer, tmp_path: Path) -> None:
    bought = shop.tables["transactions"]
    Grocer(
        {**shop.tables, "transactions": [*bought[:-1], bought[-1] | {"sales_value": 1.005}]}
    ).write(tmp_path)
    with pytest.raises(BadInputError, match=r"1 rows of .* not in whole cents"), opened(tmp_path):
        pass
