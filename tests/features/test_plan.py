from typing import Any

import numpy as np
import pytest

from features.declare import campaign, context, days_until, events
from features.errors import (
    DeclarationError,
    FeatureOverflowError,
    MissingContextError,
    UnknownCampaignError,
)
from features.frame import frame
from features.jit import PLAIN, compiled
from features.label import matures_at
from features.plan import compile_plan
from features.spine import Spine, grid
from tests.features import logs
from tests.features.memory_log import MemoryLog

orders = events("order")
DAY = logs.DAY


def order(number: int, days: float = 1.0, **fields: Any) -> dict[str, Any]:
    at = logs.NOW - int(days * DAY)
    return {
        "event_id": str(number), "customer_id": "a", "kind": "order", "occurred_at": at,
        "recorded_at": at, **fields,
    }  # fmt: skip


def one(features: Any, held: Any, engine: Any = PLAIN, **context: Any) -> dict[str, Any]:
    log: Any = MemoryLog(held, [], logs.CAMPAIGNS)
    given = {name: np.array([value], dtype=object) for name, value in context.items()}
    spine = grid(["a"], [logs.NOW])
    spine = Spine("row", spine.row_id, spine.customer_id, spine.as_of, given)
    return frame(log, spine, features, engine=engine).iloc[0].to_dict()


def test_features_that_fold_the_same_events_share_one_state():
    log = MemoryLog([order(1)], [], {})
    spent = orders.sum("amount", last="90d", unit="currency")
    mean = orders.mean("amount", last="90d", unit="currency")
    shared = compile_plan([spent, mean, spent / spent], log.columns, log.dictionaries)
    assert shared.width == 3


@pytest.mark.parametrize("engine", [lambda: PLAIN, compiled], ids=["plain", "compiled"])
@pytest.mark.parametrize("amounts", [(2**62, 2**62), (-(2**62), -(2**62), -10)])
def test_a_sum_that_does_not_fit_is_an_error_and_never_wraps(engine, amounts):
    held = [order(number, amount=amount) for number, amount in enumerate(amounts)]
    with pytest.raises(FeatureOverflowError, match="order_amount_sum_90d does not fit"):
        one([orders.sum("amount", last="90d", unit="points")], held, engine())


def test_a_sum_up_to_the_edge_of_64_bits_is_exact():
    held = [order(1, amount=2**62), order(2, amount=2**62 - 1)]
    spent = orders.sum("amount", last="90d", unit="points")
    assert one([spent], held)[spent.name] == 2**63 - 1


def test_a_column_the_log_lacks_is_named():
    with pytest.raises(DeclarationError, match="reads the column 'colour'"):
        one([orders.count(last="90d", colour="red")], [order(1)])


def test_numbers_cannot_be_counted_by_code():
    with pytest.raises(DeclarationError, match="'amount' holds numbers"):
        one([orders.distinct("amount")], [order(1)])


@pytest.mark.parametrize(
    "declared",
    [
        orders.count(category=context("category")),
        context("category"),
        days_until(campaign("ends_at")),
        orders.any(until=context("end", "instant")),
    ],
)
def test_a_missing_context_is_named(declared):
    with pytest.raises(MissingContextError, match=r"category|campaign|end"):
        one([declared], [order(1)])


def test_an_unknown_campaign_is_named():
    with pytest.raises(UnknownCampaignError, match="There is no campaign '99'"):
        one([campaign("type")], [order(1)], campaign_id="99")


def test_a_category_that_no_dictionary_holds_matches_nothing():
    count = orders.count(category=context("category"))
    assert one([count], [order(1, category=None)], category="new")[count.name] == 0
    assert one([count], [order(1, category=None)], category=None)[count.name] == 0


def test_amounts_are_in_the_currency_people_say():
    log: Any = MemoryLog([order(1, amount=1_500)], [], {}, currency="KRW")
    spent = orders.sum("amount", last="90d", unit="currency")
    assert frame(log, grid(["a"], [logs.NOW]), [spent], engine=PLAIN)[spent.name][0] == 1_500.0


def test_a_numeric_context_is_a_number():
    asked = context("budget", "number")
    assert one([asked], [order(1)], budget=12)["budget"] == 12.0


def test_no_rows_give_an_empty_frame_with_all_columns():
    log: Any = MemoryLog([order(1)], [], {})
    count = orders.count(last="90d")
    assert list(frame(log, grid([], [logs.NOW]), [count], engine=PLAIN).columns) == [count.name]


def test_progress_is_told_bucket_by_bucket():
    log: Any = MemoryLog([order(1)], [], {})
    told: list[tuple[int, int]] = []
    frame(
        log, grid(["a", "b", "c", "d"], [logs.NOW]), [orders.count()], engine=PLAIN,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[-1][0] == told[-1][1] >= 1


def test_a_label_of_a_campaign_matures_after_its_end_and_the_lag():
    label = events("redemption").any(until=campaign("ends_at"), lag="1d")
    rows = grid(["a"], [logs.NOW])
    ids = {"campaign_id": np.array(["1"], dtype=object)}
    lead = Spine("lead", rows.row_id, rows.customer_id, rows.as_of, ids)
    assert matures_at(label, lead, logs.CAMPAIGNS).tolist() == [logs.NOW + 21 * DAY]


def test_a_condition_on_the_past_is_no_label():
    with pytest.raises(DeclarationError, match="looks backward"):
        matures_at(orders.any(last="90d"), grid(["a"], [logs.NOW]), {})


def test_a_spine_with_uneven_columns_is_refused():
    rows = grid(["a"], [logs.NOW])
    with pytest.raises(ValueError, match="differ in length"):
        Spine("row", rows.row_id, rows.customer_id, rows.as_of, {"x": np.array([1, 2])})


def test_a_spine_is_moved_and_chosen_from():
    rows = grid(["a", "b"], [logs.NOW]).at(5).take(np.array([1]))
    assert (rows.customer_id.tolist(), rows.as_of.tolist()) == (["b"], [5])


def test_text_stays_plain_text_with_none_where_missing():
    log: Any = MemoryLog([order(1, category=None)], [], {})
    favourite = orders.most_common("category")
    table = frame(log, grid(["a"], [logs.NOW]), [favourite], engine=PLAIN)
    assert table[favourite.name].dtype == object
    assert table[favourite.name][0] is None
