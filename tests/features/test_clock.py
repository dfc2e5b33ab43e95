from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.clock import EARLIEST, LATEST, now, parse_duration, parse_instant, to_iso
from features.errors import BadInputError
from features.source import Source

FROZEN = Source("frozen", "USD", "America/New_York", "assumed", 1, frozen_at=7)
LIVE = Source("live", "USD", "America/New_York", "assumed", 2, frozen_at=None)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.booleans())
def test_a_local_time_is_what_the_zone_says(moment: datetime, sommer: bool) -> None:
    name = "Europe/Berlin" if sommer else "America/New_York"
    expected = moment.replace(tzinfo=ZoneInfo(name)).astimezone(UTC) - datetime(
        1970, 1, 1, tzinfo=UTC
    )
    micros = (expected.days * 86_400 + expected.seconds) * 1_000_000 + expected.microseconds
    assert parse_instant(moment.isoformat(), name) == micros


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_survives_being_written_and_read(instant: int) -> None:
    assert parse_instant(to_iso(instant)) == parse_instant(instant) == instant


def test_a_day_on_which_clocks_change_is_not_24_hours_long() -> None:
    spring = [parse_instant(day, "America/New_York") for day in ("2017-03-12", "2017-03-13")]
    assert spring[1] - spring[0] == parse_duration("23h")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2017-13-01",
        "2017-02-29",
        "12/04/2017",
        "0001-01-01",
        True,
        1.5,
        None,
        2**63 - 1,
    ],
)
def test_what_is_no_time_is_refused_with_an_example_of_one(value: object) -> None:
    with pytest.raises(BadInputError, match="2017-12-04T05:00:00Z"):
        parse_instant(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "28", "d", "-1d", "1.5h", "28 d", "3y", "28D"])
def test_what_is_no_duration_is_refused_with_an_example_of_one(text: str) -> None:
    with pytest.raises(BadInputError, match="'28d'"):
        parse_duration(text)


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(BadInputError, match=r"'Europe/Bärlin'.*'Europe/Berlin'"):
        parse_instant("2017-12-04", "Europe/Bärlin")


def test_now_is_where_a_frozen_source_ends_and_the_wall_clock_for_a_live_one() -> None:
    assert now("auto", FROZEN, wall=lambda: 9_000) == now("data", FROZEN) == 7
    assert now("wall", FROZEN, wall=lambda: 9_999) == now("auto", LIVE, wall=lambda: 9_000) == 9


def test_the_data_clock_of_a_live_source_stands_just_after_its_last_instant() -> None:
    assert now("data", LIVE, last_instant=41) == 42
    with pytest.raises(BadInputError, match="NEXTBEST_CLOCK=wall"):
        now("data", LIVE)


def test_a_frozen_source_goes_on_with_what_arrives_after_its_end() -> None:
    assert now("auto", FROZEN, last_instant=7) == now("auto", FROZEN, last_instant=3) == 7
    assert now("auto", FROZEN, last_instant=8) == now("data", FROZEN, last_instant=8) == 9


def test_an_unknown_clock_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"'moon'.*auto, wall or data"):
        now("moon", LIVE)
