"""A simulated company in the log: its spines, its truth and its command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features import exchange, experience
from features.__main__ import main
from features.declare import events
from features.errors import BadInputError
from features.frame import frame
from features.jit import Compiled, compiled
from features.log import EventLog
from features.sources.simulator import Company, ingest_simulator, read_truth
from features.sources.simulator.company import STARTS_AT, WEEK
from features.sources.simulator.life import Life
from features.sources.simulator.stream import chunks
from features.sources.simulator.truth_files import TruthFiles
from features.spine import grid

COMPANY = Company(customers=150, days=365, seed=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    done = ingest_simulator(folder, COMPANY, futures=2)
    assert done.rejected == 0
    return folder


@pytest.fixture(scope="module")
def log(home: Path) -> EventLog:
    return EventLog.open(home)


@pytest.fixture(scope="module")
def engine() -> Compiled:
    return compiled()


def truth(home: Path, model: str) -> dict[str, dict[str, Any]]:
    return {row["row_id"]: row for row in read_truth(home, model).to_pylist()}


def test_every_lead_and_advertisement_has_its_truth(home: Path, log: EventLog) -> None:
    for model, names in (
        ("lead_score", ("lead", "held_out")),
        ("ctr", ("impression", "placement")),
        ("win_probability", ("opportunity",)),
    ):
        known = truth(home, model)
        rows = 0
        for name in names:
            spine = log.spine(name)
            rows += len(spine)
            for row_id, customer, as_of in zip(
                spine.row_id, spine.customer_id, spine.as_of.tolist(), strict=True
            ):
                row = known[row_id]
                assert (row["customer_id"], row["as_of"]) == (customer, as_of)
                if model == "lead_score":
                    assert row["treated"] == (name == "lead")
        assert rows == len(known)


def test_everyone_judged_for_churn_has_a_truth_and_nobody_else(
    home: Path, log: EventLog, engine: Compiled
) -> None:
    known = truth(home, "churn")
    weeks = [13, 14, 30, COMPANY.weeks]
    moments = [STARTS_AT + week * WEEK for week in weeks]
    ids = sorted(set(log.customers["customer_id"].to_pylist()))
    spine = grid(ids, moments)
    asked = [events("order").any(last="90d")]
    active = frame(log, spine, asked, engine=engine).iloc[:, 0].to_numpy(dtype=bool)
    judged = {row_id for row_id in known if known[row_id]["as_of"] in moments}
    assert judged == set(spine.row_id[active])
    assert 50 < len(judged) < len(spine)


def test_what_decides_is_in_the_catalogue_of_features(log: EventLog, engine: Compiled) -> None:
    """The counts behind a probability are features, to the last event."""
    orders, tickets, lines = events("order"), events("ticket"), events("order_line")
    asked = [
        orders.count(last="90d"),
        tickets.count(last="90d"),
        events("visit").count(last="28d"),
        lines.count(last="90d"),
        orders.days_since_last(),
        events("survey").last("quantity", unit="points"),
    ]
    assert set(asked[:2]) <= {*exchange.CUSTOMER, *experience.SERVICE}
    compared = 0

    def compare(life: Life) -> None:
        nonlocal compared
        if life.week not in (13, 27, COMPANY.weeks):
            return
        names = [f"c{number:09d}" for number in life.who.numbers]
        found = frame(log, grid(names, [STARTS_AT + life.week * WEEK]), asked, engine=engine)
        past = life.history
        everyone = np.arange(len(names))
        for feature, counted in zip(
            asked[:4],
            (
                past.orders(life.week),
                past.tickets(life.week),
                past.visits(life.week),
                past.lines(life.week, everyone).sum(axis=1),
            ),
            strict=True,
        ):
            assert found[feature.name].to_numpy().tolist() == counted.tolist()
        days = found[asked[4].name].to_numpy(dtype=float)
        ordered = ~np.isnan(days)
        assert (np.ceil(days[ordered] / 7) == past.gone(life.week)[ordered]).all()
        answers = found[asked[5].name].to_numpy(dtype=float)
        level = np.where(np.isnan(answers), 1, (answers >= 7).astype(int) + (answers >= 9))
        assert level.tolist() == past.survey.tolist()
        compared += 1

    for _ in chunks(COMPANY, before_week=compare):
        pass
    assert compared == 3


def test_what_customers_are_worth_has_its_error(home: Path) -> None:
    rows = read_truth(home, "value").to_pylist()
    assert len(rows) > 100
    assert all(row["value"] > 0 and row["standard_error"] >= 0 for row in rows)
    assert {row["as_of"] for row in rows} == {COMPANY.ends_at}


def test_ingesting_again_changes_nothing(home: Path) -> None:
    before = read_truth(home, "ctr")
    assert not ingest_simulator(home, COMPANY, futures=0).changed
    assert read_truth(home, "ctr").equals(before)


def test_another_company_is_refused_and_the_truth_stays(home: Path) -> None:
    before = read_truth(home, "churn")
    with pytest.raises(BadInputError, match="The log's name is"):
        ingest_simulator(home, Company(customers=150, days=365, seed=5), futures=0)
    assert read_truth(home, "churn").equals(before)
    assert list((home / "simulator").glob("*.new")) == []


def test_a_company_in_bulk_has_the_same_events_and_spines(
    home: Path, log: EventLog, engine: Compiled, tmp_path: Path
) -> None:
    bulk = ingest_simulator(tmp_path, COMPANY, futures=0, bulk=True).log
    assert bulk.kinds == log.kinds
    assert bulk.campaigns == log.campaigns
    assert bulk.customers.equals(log.customers)
    assert read_truth(tmp_path, "churn").equals(read_truth(home, "churn"))
    spine = grid(sorted(set(log.customers["customer_id"].to_pylist())), [COMPANY.ends_at])
    asked = [*exchange.CUSTOMER, *experience.SERVICE]
    one, other = (frame(each, spine, asked, engine=engine) for each in (log, bulk))
    assert one.equals(other)
    for name in log.spine_names:
        assert bulk.spine(name).row_id.tolist() == log.spine(name).row_id.tolist()


def test_spines_and_truth_of_some_customers_leave_the_events_alone(
    log: EventLog, tmp_path: Path
) -> None:
    some = ingest_simulator(tmp_path / "some", COMPANY, futures=0, judged_below=40).log
    assert some.kinds == log.kinds
    known = truth(tmp_path / "some", "lead_score")
    lead = some.spine("lead")
    whole = log.spine("lead")
    few = np.array([int(customer[1:]) < 40 for customer in whole.customer_id])
    assert lead.row_id.tolist() == whole.row_id[few].tolist()
    assert set(lead.row_id) <= set(known)
    none = ingest_simulator(tmp_path / "none", COMPANY, judged_below=0, bulk=True).log
    assert none.kinds == log.kinds
    assert none.spine_names == ()
    assert not (tmp_path / "none" / "simulator").exists()


def test_assumed_consent_leaves_it_out(tmp_path: Path) -> None:
    log = ingest_simulator(
        tmp_path, Company(customers=20, days=210), consent=False, truth=False
    ).log
    assert log.source.consent == "assumed"
    assert not [name for name in log.customers.column_names if name.startswith("consent")]
    with pytest.raises(BadInputError, match="no truth about 'churn'"):
        read_truth(tmp_path, "churn")


def test_one_future_has_no_error_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="futures was given as 1"):
        TruthFiles(tmp_path, futures=1)


def test_a_home_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BadInputError, match="NEXTBEST_HOME"):
        ingest_simulator(tmp_path / "file", COMPANY)


def test_the_command_line_simulates_what_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    command = "ingest simulator --customers 20 --days 210 --seed 3 --drift --late 0.1 --futures 0"
    assert main(command.split()) == 0
    assert " events added" in capsys.readouterr().out
    name = EventLog.open(tmp_path).source.name
    assert name == "simulator-20-30w-seed3-drift-late0.1"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ingest complete-journey --customers 5", "--customers is for 'simulator'"),
        ("ingest simulator --impressions 5", "--impressions is for 'complete-journey'"),
        ("ingest simulator --days 7", "days was given as 7"),
    ],
)
def test_an_option_of_another_source_is_refused(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    assert main(command.split()) == 2
    assert said in capsys.readouterr().err
