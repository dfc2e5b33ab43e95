"""A company's tables as a log: events, answers, clocks, consent, sources beside CSV."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa

from features.clock import parse_instant
from features.company import Company, company_of
from features.errors import BadInputError
from features.kernel import NULL
from features.log import EventLog
from features.sources.company_tables import Loaded, ingest_company
from tests.databases import postgres
from tests.own_tables import write_leads, write_orders

TOP = 'name = "acme"\ncurrency = "EUR"\ntimezone = "Asia/Seoul"\n'
ASSUMED = 'consent = "assumed"\n'
CUSTOMERS = '[customers]\npath = "people.csv"\nkey = "id"\nknown_at = "2024-06-30"\n'
ORDERS = '[[events]]\npath = "orders.csv"\nkind = "order"\nkey = "who"\noccurred_at = "at"\n'
PEOPLE = "id,plan,won,stage,decided\n" + "".join(
    f"c{n},{'plus' if n % 3 else 'free'},{'yes' if n % 2 else 'no'},"
    f"{('closed', 'new', 'expired', 'calling')[n % 4]},{f'2024-07-0{n % 8 + 1}'}\n"
    for n in range(40)
)
LABEL = '[labels.lead_score]\ncolumn = "won"\npositive = ["yes"]\n'


def load(folder: Path, said: str, **files: str) -> Loaded:
    for name, content in {"people": PEOPLE, **files}.items():
        (folder / f"{name}.csv").write_text(content)
    (folder / "company.toml").write_text(said)
    return ingest_company(folder / "company.toml", folder / "home")


def test_the_log_holds_the_declaration(tmp_path: Path) -> None:
    found = load(tmp_path, TOP + ASSUMED + CUSTOMERS + 'exclude = ["decided"]\n' + LABEL)
    company = company_of(tmp_path / "home")
    assert company is not None
    assert company == found.done.log.company == Company.from_plain(company.to_plain())
    assert [each.name for each in company.attributes] == ["plan", "stage"]
    assert [each.name for each in company.answers] == ["lead_score"]
    assert company_of(tmp_path) is None


def test_ingesting_again_changes_nothing_and_more_rows_are_added(tmp_path: Path) -> None:
    said = TOP + ASSUMED + CUSTOMERS + ORDERS + 'amount = "paid"\n'
    orders = "who,at,paid\nc1,2024-01-05 10:00,19.99\nc1,2024-01-05 10:00,19.99\n"
    first = load(tmp_path, said, orders=orders)
    assert (first.done.added, first.done.changed) == (2, True)
    again = load(tmp_path, said, orders=orders)
    assert (again.done.added, again.done.repeated, again.done.changed) == (0, 2, False)
    # Exported again in another order, with one row more.
    more = "who,at,paid\nc2,2024-01-06 10:00,5\n" + orders.split("\n", 1)[1]
    assert load(tmp_path, said, orders=more).done.added == 1


def test_times_are_local_and_amounts_are_minor_units(tmp_path: Path) -> None:
    said = TOP + ASSUMED + CUSTOMERS + ORDERS + 'amount = "paid"\nrecorded_at = "day"\n'
    orders = (
        "who,at,paid,day\nc1,2024-01-05 10:00,19.99,2024-01-05\nc2,2024-01-05,1.005,2024-01-05\n"
    )
    found = load(tmp_path, said, orders=orders)
    [row] = found.done.log.history("c1").to_pylist()
    assert row["amount"] == 1999
    assert row["occurred_at"] == parse_instant("2024-01-05T01:00:00Z")
    assert row["recorded_at"] == parse_instant("2024-01-05T15:00:00Z") - 1
    assert found.done.log.source.clocks == 2
    assert found.done.rejected == 1  # a thousandth of a euro is no cent


def test_yen_have_no_minor_unit(tmp_path: Path) -> None:
    said = TOP.replace("EUR", "JPY") + ASSUMED + CUSTOMERS + ORDERS + 'amount = "paid"\n'
    log = load(tmp_path, said, orders="who,at,paid\nc1,2024-01-05,1200\n").done.log
    assert log.history("c1")["amount"].to_pylist() == [1200]


def test_one_clock_is_said(tmp_path: Path) -> None:
    log = load(
        tmp_path, TOP + ASSUMED + CUSTOMERS + ORDERS, orders="who,at\nc1,2024-01-05\n"
    ).done.log
    assert log.source.clocks == 1
    assert any("one clock in orders.csv" in said for said in log.source.statements)


def test_kinds_may_be_a_column_and_properties_are_named(tmp_path: Path) -> None:
    said = TOP + ASSUMED + CUSTOMERS + ORDERS.replace('kind = "order"', 'kind_column = "what"')
    said += 'quantity = "n"\nchannel = "via"\nproperties = { store = "shop" }\n'
    rows = "who,at,what,n,via,shop\nc1,2024-01-05,order,3,web,7\nc1,2024-01-06,visit,,app,8\n"
    log = load(tmp_path, said, orders=rows).done.log
    assert {name: kind.rows for name, kind in log.kinds.items()} == {"order": 1, "visit": 1}
    assert log.history("c1")["store"].to_pylist() == ["7", "8"]
    assert log.company is not None
    assert log.company.kinds is not None
    assert set(log.company.kinds["order"]) == {"occurred_at", "quantity", "channel", "store"}


def test_customers_that_are_written_otherwise_are_noticed(tmp_path: Path) -> None:
    said = TOP + ASSUMED + CUSTOMERS + ORDERS
    with pytest.raises(BadInputError, match=r"none of its 1 customers is in people.csv.*'C-1'"):
        load(tmp_path, said, orders="who,at\nC-1,2024-01-05\n")
    some = load(tmp_path, said, orders="who,at\nc1,2024-01-05\nC-1,2024-01-05\n")
    assert any("1 of 2 customers are not in people.csv" in note for note in some.notes)


def test_not_worked_is_not_lost(tmp_path: Path) -> None:
    said = (
        TOP
        + ASSUMED
        + CUSTOMERS
        + LABEL
        + (
            'status = "stage"\nworked = ["closed"]\nnot_worked = ["new"]\n'
            'auto_closed = ["expired"]\nopen = ["calling"]\n'
        )
    )
    log = load(tmp_path, said).done.log
    assert sorted(log.spine("lead_score").customer_id) == sorted(f"c{n}" for n in range(0, 40, 4))
    told = " ".join(log.source.statements)
    assert "10 rows are left out: nobody worked them" in told
    assert "10 rows are left out: they were closed automatically" in told
    assert "10 rows are left out: they are still open" in told


def test_rows_are_judged_once_known_and_decided_at_a_days_end(
    tmp_path: Path,
) -> None:
    log = load(tmp_path, TOP + ASSUMED + CUSTOMERS + LABEL + 'decided_at = "decided"\n').done.log
    spine = log.spine("lead_score")
    known = parse_instant("2024-06-30", "Asia/Seoul")
    assert set(spine.as_of) == {known + 1}
    of = dict(zip(spine.customer_id, spine.context["decided_at"], strict=True))
    assert of["c0"] == parse_instant("2024-07-02", "Asia/Seoul") - 1
    answers = dict(zip(spine.customer_id, spine.context["answer"], strict=True))
    assert answers == {f"c{n}": n % 2 for n in range(40)}
    assert log.source.frozen_at == max(of.values()) + 2


def test_a_date_only_the_won_have_puts_nothing_in_time(tmp_path: Path) -> None:
    people = "id,plan,won,decided\n" + "".join(
        f"c{n},{n % 3},{'yes,2024-07-02' if n % 2 else 'no,'}\n" for n in range(40)
    )
    said = TOP + ASSUMED + CUSTOMERS + LABEL + 'decided_at = "decided"\n'
    log = load(tmp_path, said, people=people).done.log
    assert (log.spine("lead_score").context["decided_at"] == NULL).all()
    assert any("is empty for most rows whose answer is no" in s for s in log.source.statements)


def test_judged_at_moves_the_moment_of_judgement(tmp_path: Path) -> None:
    said = TOP + ASSUMED + CUSTOMERS + LABEL + 'judged_at = "2024-07-10"\n'
    spine = load(tmp_path, said).done.log.spine("lead_score")
    assert set(spine.as_of) == {parse_instant("2024-07-10", "Asia/Seoul")}


def test_consent_is_assumed_recorded_or_missed(tmp_path: Path) -> None:
    said = TOP + CUSTOMERS + '[customers.consent]\nemail_offers = "ok"\n'
    people = "id,plan,ok\n" + "".join(
        f"c{n},{n % 3},{('Yes', 'no', '')[n % 3]}\n" for n in range(9)
    )
    log = load(tmp_path / "", said, people=people).done.log
    assert log.source.consent == "recorded"
    assert log.stated["consent_email_offers"].to_pylist() == [1.0, 0.0, None] * 3
    (tmp_path / "other").mkdir()
    with pytest.raises(BadInputError, match="consent_email_offers, or state consent = 'assumed'"):
        load(tmp_path / "other", TOP + CUSTOMERS)


def test_rows_without_a_key_are_numbered(tmp_path: Path) -> None:
    log = load(tmp_path, TOP + ASSUMED + CUSTOMERS.replace('key = "id"\n', "")).done.log
    assert log.stated["customer_id"].to_pylist() == sorted(str(n) for n in range(1, 41))


def test_parquet_gzip_and_a_query_say_the_same_as_csv(tmp_path: Path) -> None:
    write_leads(tmp_path / "leads.csv", rows=50)
    write_orders(tmp_path / "orders.csv", customers=50)
    frame = pd.read_csv(tmp_path / "leads.csv", dtype={"zip": "string"}, keep_default_na=False)
    frame["visits"] = pd.to_numeric(frame["visits"])
    frame["created_at"] = pd.to_datetime(frame["created_at"])
    frame.to_parquet(tmp_path / "leads.parquet")
    frame.to_csv(tmp_path / "leads.csv.gz", index=False)
    with sqlite3.connect(tmp_path / "crm.db") as database:
        frame.astype({"created_at": str}).to_sql("leads", database, index=False)
    database.close()
    said = TOP + ASSUMED + '[customers]\n{place}\nkey = "lead_id"\nknown_at = "created_at"\n'
    url = f'url = "sqlite:///{tmp_path / "crm.db"}"\nsql = "select * from leads"'
    places = {
        "csv": 'path = "leads.csv"',
        "gzip": 'path = "leads.csv.gz"',
        "parquet": 'path = "leads.parquet"',
        "query": url,
    }
    tables = {}
    for name, place in places.items():
        (tmp_path / f"{name}.toml").write_text(said.format(place=place))
        tables[name] = ingest_company(tmp_path / f"{name}.toml", tmp_path / name).done.log.stated
    for name, table in tables.items():
        assert table.equals(tables["csv"]), name


def test_a_database_that_refuses_is_said(tmp_path: Path) -> None:
    said = (
        TOP
        + ASSUMED
        + CUSTOMERS.replace(
            'path = "people.csv"', 'url = "sqlite://"\nsql = "select * from nobody"'
        )
    )
    with pytest.raises(BadInputError, match=r"The database refused sql = .*no such table"):
        load(tmp_path, said)


def test_a_type_that_changed_is_refused_with_what_to_do(tmp_path: Path) -> None:
    load(tmp_path, TOP + ASSUMED + CUSTOMERS)
    people = PEOPLE.replace("plus", "7").replace("free", "8")
    with pytest.raises(BadInputError, match=r"'plan' was categorical .* is numeric now"):
        load(tmp_path, TOP + ASSUMED + CUSTOMERS, people=people)
    assert EventLog.open(tmp_path / "home").stated["plan"].to_pylist()[0] in ("plus", "free")


WRONG = {
    'name = "a"\n[customers]\npath = "people.csv"\n': "customers.known_at is missing",
    CUSTOMERS: "name is missing",
    TOP + ASSUMED: "customers is missing",
    TOP + 'consent = "yes"\n' + CUSTOMERS: "consent is 'yes'",
    TOP + CUSTOMERS + 'colour = "red"\n': "nothing reads the key 'customers.colour'",
    TOP + CUSTOMERS.replace("people.csv", "people.xlsx"): "customers.path is 'people.xlsx'",
    TOP + CUSTOMERS.replace("people.csv", "nobody.csv"): "nobody.csv is not there",
    TOP + CUSTOMERS + 'url = "sqlite://"\n': "Give either path, or url and sql",
    TOP + CUSTOMERS + '[customers.types]\nplan = "number"\n': "customers.types.plan is 'number'",
    TOP + CUSTOMERS + "[customers.types]\nplan = 1\n": "customers.types.plan is 1",
    TOP + CUSTOMERS + 'na_values = "x"\n': "customers.na_values is 'x'",
    TOP + CUSTOMERS + ORDERS + 'kind_column = "k"\n': "either kind or kind_column",
    TOP + CUSTOMERS + '[labels.x]\ncolumn = "won"\n': "labels.x.positive is missing",
    TOP + CUSTOMERS + LABEL + 'status = "stage"\n': "labels.lead_score.status is 'stage'",
    TOP + CUSTOMERS + LABEL + 'negative = ["yes"]\n': "either a yes or a no",
    TOP.replace("Seoul", "Soul") + CUSTOMERS: "timezone is 'Asia/Soul'",
    TOP.replace("EUR", "euro") + CUSTOMERS: "currency is 'euro'",
    "name = \n": "is no TOML",
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_key_is_named_with_its_file(said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=WRONG[said].replace("[", r"\[")) as refused:
        load(tmp_path, said)
    assert refused.value.remedy
    assert not (tmp_path / "home" / "log" / "manifest.json").exists()


def test_days_since_a_date_follow_the_moment(tmp_path: Path, machine_code: Path) -> None:
    from features.frame import frame
    from features.spine import grid

    people = "id,joined,plan\nc1,2024-01-01,a\nc2,,b\nc3,2024-03-01T12:00:00Z,a\n"
    log = load(tmp_path, TOP + ASSUMED + CUSTOMERS, people=people).done.log
    (tmp_path / "home" / "numba").symlink_to(machine_code)
    assert log.company is not None
    features = [each for each in log.company.features if each.name == "days_since_joined"]
    at = parse_instant("2024-07-01", "Asia/Seoul")
    before = parse_instant("2024-06-01", "Asia/Seoul")
    values = frame(log, grid(["c1", "c2", "c3"], [before, at]), features)["days_since_joined"]
    # Nothing is known before known_at, the 30th of June.
    assert values[:3].isna().all()
    day = 86_400_000_000
    expected = [182.0, np.nan, (at - parse_instant("2024-03-01T12:00:00Z")) / day]
    np.testing.assert_array_equal(values[3:].to_numpy(), expected)


@pytest.mark.services
def test_postgresql_gives_the_rows_of_a_query(tmp_path: Path) -> None:
    with postgres() as (url, prefix):
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    f"CREATE TABLE {prefix}people AS SELECT 'c' || n AS id, n * 1.5 AS spent, "
                    "n % 2 = 0 AS member, TIMESTAMPTZ '2024-01-05 10:00Z' + n * INTERVAL '1 day' "
                    "AS joined, NULLIF(n % 3, 0) AS region FROM generate_series(1, 60) AS n"
                )
            )
        engine.dispose()
        place = f'url = "{url.replace("+psycopg", "")}"\nsql = "SELECT * FROM {prefix}people"\n'
        said = TOP + ASSUMED + CUSTOMERS.replace('path = "people.csv"\n', place)
        log = load(tmp_path, said).done.log
    assert log.company is not None
    assert {each.name: each.kind for each in log.company.attributes} == {
        "spent": "numeric",
        "member": "categorical",
        "joined": "datetime",
        "region": "numeric",
    }
    [c3] = log.stated.filter(pc.equal(log.stated["customer_id"], "c3")).to_pylist()
    assert (c3["spent"], c3["member"], c3["region"]) == (4.5, "false", None)
    assert c3["joined"] == parse_instant("2024-01-08T10:00:00Z")
