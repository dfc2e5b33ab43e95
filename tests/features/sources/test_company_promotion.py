"""``[gate]`` and ``[leaks]`` of a company's file: what the log keeps, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.company import Company, TablePromotion, company_of
from features.errors import BadInputError
from features.sources.company_tables import ingest_company

FILE = """
name = "acme"
consent = "assumed"
[customers]
path = "t.csv"
key = "id"
known_at = "2024-06-30"
exclude = ["tag"]
[labels.lead_score]
column = "y"
positive = ["1"]
"""
ROWS = "id,Plan,paid,since,tag,same,y\n" + "".join(
    f"{n},{'plus' if n % 3 else 'free'},{n},2024-01-{n % 9 + 10},a{n % 4},x,{n % 2}\n"
    for n in range(40)
)


def load(folder: Path, said: str) -> Company:
    (folder / "t.csv").write_text(ROWS)
    (folder / "company.toml").write_text(FILE + said)
    ingest_company(folder / "company.toml", folder / "home")
    found = company_of(folder / "home")
    assert found is not None
    return found


def test_columns_are_kept_under_the_names_models_read_them_by(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        '[gate]\nsegments = ["Plan"]\ntoo_good = 0.99\n'
        "[leaks]\ncleared = [\n"
        '  { column = "since", reason = "It is agreed first." },\n'
        '  { column = "order_count_90d", reason = "Orders lie before." },\n]\n'
        '[leaks.lead_score]\ncleared = [{ column = "paid", reason = " In advance. " }]\n',
    )
    every = {"days_since_since": "It is agreed first.", "order_count_90d": "Orders lie before."}
    assert found.promotions == (
        TablePromotion("", ("plan",), 0.99, every),
        TablePromotion("lead_score", (), 0.0, {"paid": "In advance."}),
    )
    assert Company.from_plain(found.to_plain()) == found
    own = found.promotion("lead_score")
    assert (own.segments, own.too_good) == (("plan",), 0.99)
    assert own.cleared == {**every, "paid": "In advance."}


def test_what_the_file_says_now_counts_though_no_row_is_new(tmp_path: Path) -> None:
    assert load(tmp_path, "").promotions == ()
    changed = load(tmp_path, '[gate.churn]\nsegments = ["Plan"]\n')
    assert changed.promotions == (TablePromotion("churn", ("plan",)),)
    assert changed.promotion("lead_score") == TablePromotion("lead_score")


def test_a_log_from_before_asks_nothing(tmp_path: Path) -> None:
    plain = load(tmp_path, "").to_plain()
    del plain["promotions"]
    assert Company.from_plain(plain).promotions == ()


REFUSED = {
    '[gate]\nsegments = ["Plam"]': "gate.segments is 'Plam', but t.csv has no such.*'Plan'",
    '[gate.churn]\nsegments = ["paid"]': "gate.churn.segments names 'paid', which is numeric",
    '[gate]\nsegments = ["tag"]': "'tag', which no model reads.* excluded",
    '[gate]\nsegments = ["same"]': "'same', which no model reads",
    '[gate]\nsegments = "Plan"': "gate.segments is 'Plan'",
    "[gate]\ntoo_good = 99": "gate.too_good is 99.* from 0.5 to 1",
    '[gate]\ntoo_good = "0.9"': "gate.too_good is '0.9'",
    "[gate]\ntoo_bad = 1": "nothing reads the key 'gate.too_bad'",
    '[gate.churn]\ncleared = ["paid"]': "nothing reads the key 'gate.churn.cleared'",
    '[leaks]\ncleared = ["paid"]': r"leaks.cleared\[0\] is 'paid'",
    '[leaks]\ncleared = [{ column = "paid" }]': r"leaks.cleared\[0\].reason is missing",
    '[leaks]\ncleared = [{ column = "paid", reason = " " }]': r"cleared\[0\].reason is ' '",
    '[leaks.churn]\ncleared = [{ column = "age", reason = "x" }]': "leaks.churn.cleared is 'age'",
    '[leaks]\ncleared = [{ column = "y", reason = "x" }]': "'y', which no model reads",
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_does_not_fit_the_table_is_refused(said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=REFUSED[said]) as refused:
        load(tmp_path, said)
    assert refused.value.remedy
    assert company_of(tmp_path / "home") is None
