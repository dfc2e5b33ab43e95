"""The Complete Journey's source, judged by a slow reading of a small grocer in its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from features.contract import text_columns
from features.errors import BadInputError
from features.log import EventLog
from features.sources.complete_journey import dates, ingest_complete_journey, mailer
from features.sources.complete_journey.files import opened, package_folder
from tests.small_grocer import PRODUCTS, Grocer, grocer

EASTERN = ZoneInfo("America/New_York")
ALL = 10**9


def micros(moment: datetime) -> int:
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 1_000_000


def midnight(day: date) -> int:
    return micros(datetime(day.year, day.month, day.day, tzinfo=EASTERN))


@pytest.fixture(scope="module")
def shop() -> Grocer:
    return grocer()


@pytest.fixture(scope="module")
def folder(shop: Grocer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop.write(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def log(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> EventLog:
    return ingest_complete_journey(
        tmp_path_factory.mktemp("home"), impressions=ALL, folder=folder
    ).log


@pytest.fixture(scope="module")
def events(log: EventLog) -> list[dict[str, Any]]:
    rows = [row for number in range(log.n_buckets) for row in log.table(number).to_pylist()]
    for row in rows:
        for name in text_columns(log.properties):
            row[name] = log.dictionaries[name].text(row[name])
    return rows


def of_kind(events: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {row["event_id"]: row for row in events if row["kind"] == kind}


def cents(value: float) -> int:
    return int(Decimal(str(value)) * 100)


def test_a_basket_is_an_order_and_its_lines_keep_what_was_bought(
    shop: Grocer, events: list[dict[str, Any]]
) -> None:
    orders, lines = of_kind(events, "order"), of_kind(events, "order_line")
    bought = shop.tables["transactions"]
    assert len(lines) == len(bought)
    totals: dict[str, Counter[str]] = {}
    for row in bought:
        line = lines[f"line-{row['basket_id']}-{row['product_id']}"]
        brand, category = PRODUCTS[row["product_id"]]
        coupon = cents(row["coupon_disc"]) + cents(row["coupon_match_disc"])
        assert (
            line
            | {
                "customer_id": str(row["household_id"]),
                "occurred_at": micros(row["transaction_timestamp"]),
                "recorded_at": micros(row["transaction_timestamp"]),
                "amount": cents(row["sales_value"]),
                "quantity": row["quantity"],
                "item": str(row["product_id"]),
                "category": category,
                "brand": brand,
                "store": str(row["store_id"]),
                "discount": cents(row["retail_disc"]),
                "coupon_discount": coupon,
            }
            == line
        )
        total = totals.setdefault(f"order-{row['basket_id']}", Counter())
        total.update(
            amount=line["amount"], quantity=1, discount=line["discount"], coupon_discount=coupon
        )
    assert orders.keys() == totals.keys()
    for name, total in totals.items():
        assert {column: orders[name][column] for column in total} == dict(total)


def test_contacts_and_leads_are_who_was_mailed_when_the_campaign_began(
    log: EventLog, events: list[dict[str, Any]]
) -> None:
    contacts = of_kind(events, "contact").values()
    expected = {
        ("1", "7", midnight(date(2017, 3, 1))),
        ("1", "11", midnight(date(2017, 3, 1))),
        ("2", "7", midnight(date(2016, 11, 14))),
        ("3", "400", midnight(date(2017, 12, 6))),
        ("3", "12", midnight(date(2017, 12, 6))),
    }
    assert {(c["campaign_id"], c["customer_id"], c["occurred_at"]) for c in contacts} == expected
    leads = log.spine("lead")
    rows = zip(leads.context["campaign_id"], leads.customer_id, leads.as_of.tolist(), strict=True)
    assert set(rows) == expected
    assert leads.as_of.tolist() == sorted(leads.as_of)


def test_a_redemption_counts_as_known_at_the_end_of_its_day(events: list[dict[str, Any]]) -> None:
    first, second = of_kind(events, "redemption").values()
    assert first["occurred_at"] == second["occurred_at"] == midnight(date(2017, 3, 12))
    # The day on which clocks were set forward had 23 hours.
    assert first["recorded_at"] - first["occurred_at"] == 23 * 3_600_000_000 - 1
    assert {first["item"], second["item"]} == {"coupon 9001", "coupon 9002"}


def test_a_campaign_ends_with_its_last_day_and_its_cost_is_unknown(log: EventLog) -> None:
    assert log.campaigns["1"] == {
        "type": "Type A",
        "channel": "coupon mailing",
        "starts_at": midnight(date(2017, 3, 1)),
        "ends_at": midnight(date(2017, 4, 1)),
        "cost": None,
        "offer": "2 coupons on 3 products",
    }
    assert log.campaigns["2"]["offer"] == "1 coupon on 1 product"


def test_every_household_is_a_customer_and_most_have_no_attributes(log: EventLog) -> None:
    rows = {row["customer_id"]: row for row in log.customers.to_pylist()}
    assert rows.keys() == {"7", "11", "12", "400"}
    assert (rows["7"]["age"], rows["11"]["age"]) == ("35-44", None)
    assert {row["known_at"] for row in rows.values()} == {midnight(date(2016, 12, 31))}


def most_used_store(bought: list[dict[str, Any]], as_of: int) -> dict[int, int]:
    """Of each household's baskets in the 90 days before: the most, the latest, the smallest."""
    seen: dict[int, dict[int, dict[int, int]]] = {}
    for row in bought:
        moment = micros(row["transaction_timestamp"])
        if as_of - 90 * 86_400_000_000 <= moment < as_of:
            stores = seen.setdefault(row["household_id"], {})
            stores.setdefault(row["store_id"], {})[row["basket_id"]] = moment
    return {
        household: min(
            stores, key=lambda store: (-len(stores[store]), -max(stores[store].values()), store)
        )
        for household, stores in seen.items()
    }


def placements(shop: Grocer, week: int, store: int) -> Iterator[tuple[str, str]]:
    """Each advertised category's letter with the most entries, of equal ones the first."""
    entries: dict[str, Counter[str]] = {}
    for row in shop.tables["promotions"]:
        category = PRODUCTS[row["product_id"]][1]
        letter = row["mailer_location"]
        if (row["week"], row["store_id"]) == (week, store) and category and letter != "0":
            entries.setdefault(category, Counter())[letter] += 1
    for category, letters in entries.items():
        yield category, min(letters, key=lambda letter: (-letters[letter], letter))


def impressions(shop: Grocer, week: int, as_of: int) -> set[tuple[str, int, str, str, str]]:
    return {
        (str(household), as_of, str(store), category, mailer.PLACEMENTS[letter])
        for household, store in most_used_store(shop.tables["transactions"], as_of).items()
        for category, letter in placements(shop, week, store)
    }


def test_impressions_are_the_mailers_of_the_store_used_most_in_the_90_days_before(
    shop: Grocer, log: EventLog, events: list[dict[str, Any]]
) -> None:
    expected = set()
    for week in range(2, 54):
        monday = date(2017, 1, 2) + timedelta(weeks=week - 2)
        if midnight(monday) - midnight(date(2017, 1, 1)) >= 90 * 86_400_000_000:
            expected |= impressions(shop, week, midnight(monday))
    assert len(expected) > 100
    columns = ("customer_id", "occurred_at", "store", "category", "placement")
    seen = [tuple(row[name] for name in columns) for row in of_kind(events, "impression").values()]
    assert len(seen) == len(set(seen))
    assert set(seen) == expected
    spine = log.spine("impression")
    context = [spine.context[name] for name in ("store", "category", "placement")]
    rows = zip(spine.customer_id, spine.as_of.tolist(), *context, strict=True)
    assert set(rows) == expected


def test_current_placements_are_the_latest_mailer_judged_when_the_data_end(
    shop: Grocer, log: EventLog
) -> None:
    spine = log.spine("placement")
    context = [spine.context[name] for name in ("store", "category", "placement")]
    rows = set(zip(spine.customer_id, spine.as_of.tolist(), *context, strict=True))
    assert rows == impressions(shop, 53, midnight(date(2018, 1, 1)))
    assert rows
    assert set(spine.row_id).isdisjoint(log.spine("impression").row_id)


def test_a_seed_draws_the_same_impressions_and_another_seed_others(folder: Path) -> None:
    with opened(folder) as database:
        past = mailer.past(database)
        everything = past.draw(ALL, 0)
        drawn = [past.draw(50, seed) for seed in (3, 3, 4)]
    keys = [set(mailer.spine(rows, "x").row_id) for rows in (everything, *drawn)]
    assert [len(key) for key in keys[1:]] == [50, 50, 50]
    assert keys[1] == keys[2] != keys[3]
    assert keys[1] | keys[3] <= keys[0]
    assert len(keys[0]) == past.total


def test_every_report_says_how_many_impressions_were_drawn(folder: Path, tmp_path: Path) -> None:
    log = ingest_complete_journey(tmp_path, impressions=40, seed=5, folder=folder).log
    assert "impressions 40 were drawn at random (seed 5)" in log.source.statements[-1]


def test_no_impressions_may_be_asked_for(folder: Path, tmp_path: Path) -> None:
    done = ingest_complete_journey(tmp_path, impressions=0, folder=folder)
    assert "impression" not in done.log.kinds
    assert len(done.log.spine("impression")) == 0


def test_the_same_files_and_seed_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    one, two = (ingest_complete_journey(tmp_path / name, 60, 1, folder=folder).log for name in "ab")
    assert one.fingerprint == two.fingerprint
    assert not ingest_complete_journey(tmp_path / "a", 60, 1, folder=folder).changed


@pytest.mark.parametrize(("size", "seed"), [(-1, 0), (1, -1)])
def test_a_negative_size_or_seed_is_refused(folder: Path, size: int, seed: int) -> None:
    with opened(folder) as database, pytest.raises(BadInputError, match="was given as -1"):
        mailer.past(database).draw(size, seed)


def test_weeks_are_numbered_as_in_the_real_transactions() -> None:
    path = package_folder() / "transactions.parquet"
    with opened() as database:
        rows = database.sql(
            "SELECT week, epoch_us(min(transaction_timestamp)), "
            f"epoch_us(max(transaction_timestamp)) FROM read_parquet('{path}') GROUP BY week"
        ).fetchall()
    assert len(rows) == len(dates.WEEKS)
    for week, first, last in rows:
        assert dates.week_start(week) <= first <= last < dates.week_start(week + 1)


def test_no_calendar_day_is_left_out() -> None:
    days = dates.days()
    assert isinstance(days, pa.Table)
    assert days["ends_at"].to_pylist()[:-1] == days["starts_at"].to_pylist()[1:]
