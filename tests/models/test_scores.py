import threading

import pytest
import sqlalchemy as sa

from features.database import DatabaseError, connect
from models.score_rows import about
from models.scores import Filters, ScoreRow, SqlScoreStore, database_url
from models.scores_table import tables
from models.trend import Earlier


@pytest.fixture
def store(address):
    url, prefix = address
    opened = SqlScoreStore(url, prefix)
    yield opened
    opened.close()


def row(customer, margin=0.0, model="lead_score", version="1", **more):
    more = {"row_id": f"{customer}@{more.get('context', {})}", "probability": 0.5} | more
    return ScoreRow(
        model=model,
        version=version,
        customer_id=customer,
        margin=margin,
        as_of=2**52,
        scored_at=2**53,
        sequence=7,
        **more,
    )


def test_a_row_comes_back_as_it_went_in(store):
    full = row(
        "Zoë '; --",
        1.25,
        percentile=98.5,
        grade="A",
        segment="Regular shoppers",
        context={"campaign_id": "18", "distance": 1.5, "none": None},
        reasons=[{"code": "x", "words": "주문", "effect": 0.1}],
        earlier=Earlier(0.1 + 0.2, "0", 2**51, 1e-17),
        abstained="nothing_known",
    )
    bare = ScoreRow("segments", "2", "b", "b", 0, 0, 1, segment="Small spenders")
    store.replace("lead_score", [full])
    store.replace("segments", [bare])
    assert store.get("Zoë '; --") == [full]
    assert store.get("b") == [bare]
    assert store.get("nobody") == []
    assert store.versions() == {"lead_score": "1", "segments": "2"}


def test_a_batch_replaces_its_own_model_only(store):
    store.replace("churn", [row("a", model="churn")])
    assert store.replace("lead_score", [row("a"), row("b")]) == 2
    assert store.replace("lead_score", [row("b", version="2")]) == 1
    assert [(r.model, r.version) for r in store.get("a")] == [("churn", "1")]
    assert [(r.model, r.version) for r in store.get("b")] == [("lead_score", "2")]
    assert store.get("a", "lead_score") == []


def test_a_batch_that_fails_leaves_the_old_scores(store):
    store.replace("lead_score", [row("a")])
    with pytest.raises(sa.exc.IntegrityError):
        store.replace("lead_score", [row("b"), row("b")])
    with pytest.raises(ValueError, match="must be of the model"):
        store.replace("lead_score", [row("b", model="churn")])
    assert [r.customer_id for r in store.read("lead_score")] == ["a"]


def test_what_stands_is_found_by_what_it_is_about(store):
    earlier = Earlier(0.25, "0", 5, 0.125)
    rows = [
        row("a", 1.0, context={"campaign_id": "8"}, probability=0.75, earlier=earlier),
        row("a", 0.0, context={"campaign_id": "9"}),
        row("a", 2.0, row_id="again", context={"campaign_id": "9"}, probability=0.875),
    ]
    store.replace("lead_score", rows)
    store.replace("segments", [ScoreRow("segments", "2", "a", "a", 0, 0, 1, segment="x")])
    assert store.standing("lead_score") == {
        about("a", {"campaign_id": "8"}): (0.75, "1", 2**52, earlier),
        about("a", {"campaign_id": "9"}): (0.875, "1", 2**52, None),
    }
    assert store.standing("segments") == {}


def test_a_table_of_an_earlier_release_gets_its_new_columns(address):
    url, prefix = address
    _, scores, _ = tables(prefix)
    new = {column.name for column in scores.columns if column.nullable}
    older = sa.Table(
        scores.name, sa.MetaData(), *(sa.Column(c.name, c.type, primary_key=c.primary_key)
                                      for c in scores.columns if c.name not in new),
    )  # fmt: skip
    engine = connect(url)
    older.create(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(older).values(
                model="churn", place=0, version="1", customer_id="a", row_id="a", context={},
                reasons=[], as_of=1, scored_at=1, sequence=1,
            )
        )  # fmt: skip
    engine.dispose()
    for _ in range(2):  # what has been added is not added again
        store = SqlScoreStore(url, prefix)
        assert store.get("a") == [ScoreRow("churn", "1", "a", "a", 1, 1, 1)]
        store.close()


def test_pages_go_down_the_margins_without_gap_or_repetition(store):
    rows = [row(f"h{i}", margin=float(i % 5)) for i in range(23)]
    store.replace("lead_score", rows)
    seen, cursor = [], None
    while True:
        page = store.page("lead_score", cursor=cursor, limit=5)
        seen += page.rows
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted(rows, key=lambda r: (-r.margin, r.customer_id))
    assert list(store.read("lead_score")) == seen
    assert store.page("lead_score", limit=23).cursor is None
    assert store.page("nothing") == type(page)((), None)


def test_filters_choose_by_campaign_segment_and_probability(store):
    leads = [
        row("a", 3.0, context={"campaign_id": "8"}, probability=0.9),
        row("a", 2.0, context={"campaign_id": "9"}, probability=0.8),
        row("b", 1.0, context={"campaign_id": "8"}, probability=0.1),
    ]
    store.replace("lead_score", leads)
    store.replace(
        "segments",
        [
            ScoreRow("segments", "1", who, who, 0, 0, 1, segment=name)
            for who, name in [("a", "Big spenders"), ("b", "Small spenders")]
        ],
    )

    def found(**filters):
        return list(store.page("lead_score", Filters(**filters)).rows)

    assert found() == leads
    assert found(campaign_id="8") == [leads[0], leads[2]]
    assert found(segment="Big spenders") == leads[:2]
    assert found(min_probability=0.8) == leads[:2]
    assert found(campaign_id="8", segment="Small spenders", min_probability=0.1) == [leads[2]]
    assert found(segment="nobody's") == []


def test_readers_see_the_old_batch_or_the_new_one_never_a_mixture(address, store):
    def batch(version):
        return [row(f"h{i}", margin=float(i), version=version) for i in range(300)]

    store.replace("lead_score", batch("0"))
    wrong, stop = [], threading.Event()

    def read():
        reader = SqlScoreStore(*address)
        while not stop.is_set():
            versions = [r.version for r in reader.read("lead_score")]
            if len(versions) != 300 or len(set(versions)) != 1:
                wrong.append(versions)
        reader.close()

    def write(name):
        writer = SqlScoreStore(*address)
        for number in range(5):
            writer.replace("lead_score", batch(f"{name}{number}"))
        writer.close()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(name,)) for name in "xy"]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert wrong == []
    assert len(list(store.read("lead_score"))) == 300


def test_many_processes_may_open_a_new_store_together(address):
    failed = []

    def open_it():
        try:
            SqlScoreStore(*address).close()
        except Exception as error:  # whatever it is, the assertion below shows it
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_sqlite_writes_ahead(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'new' / 'folder' / 'scores.db'}")
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


@pytest.mark.parametrize("url", ["no url", "oracle+nothing://db/x"])
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url):
    with pytest.raises(DatabaseError, match="NEXTBEST_DATABASE_URL") as caught:
        SqlScoreStore(url)
    assert url not in str(caught.value)


def test_a_database_that_does_not_answer_is_named_without_its_password():
    pytest.importorskip("psycopg")
    with pytest.raises(DatabaseError, match="does not answer") as caught:
        SqlScoreStore("postgresql+psycopg://someone:secret@127.0.0.1:1/test")
    assert "secret" not in str(caught.value)


def test_the_default_database_lies_under_home(tmp_path):
    store = SqlScoreStore(database_url(tmp_path))
    store.replace("churn", [row("a", model="churn")])
    store.close()
    assert (tmp_path / "nextbest.db").is_file()


def test_a_store_in_memory_lasts_as_long_as_it_is_open():
    store = SqlScoreStore("sqlite://")
    store.replace("churn", [row("a", model="churn")])
    assert len(store.get("a")) == 1
    store.close()


def test_a_store_opens_while_somebody_writes(address):
    store = SqlScoreStore(*address)
    if address[0].startswith("sqlite"):
        store.close()
        return  # it has one writer at a time, who is waited for
    store.replace("churn", [row("a", model="churn")])
    engine = connect(address[0])
    with engine.begin() as writing:
        for table in ("scores_gone", "scores"):  # as a batch does, not in the order of creation
            writing.execute(sa.text(f"DELETE FROM {address[1]}{table}"))
        opened = SqlScoreStore(*address, patience=5.0)
        assert [r.customer_id for r in opened.get("a")] == ["a"]
        opened.close()
    engine.dispose()
    store.close()
