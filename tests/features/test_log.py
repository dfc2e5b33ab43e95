from pathlib import Path

import pytest

from features.errors import BadInputError, NoLogError, UnknownSpineError
from features.log import EventLog
from tests.small_log import write_small_log

EVENT = {"customer_id": "anna", "kind": "order", "occurred_at": 5}


def test_without_a_log_the_error_names_the_folder_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(NoLogError, match=r"log\. .*python -m features ingest complete-journey"):
        EventLog.open(tmp_path)


def test_an_unknown_spine_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownSpineError, match=r"no spine 'lead'. Choose one of: none"):
        write_small_log(tmp_path, [EVENT]).spine("lead")


def test_an_unknown_column_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no column 'amout'. Choose among: occurred_at, .*"):
        write_small_log(tmp_path, [EVENT]).read(0, ["amout"])


def test_the_source_comes_back_as_it_was_given(tmp_path: Path) -> None:
    from tests.small_log import SHOP

    assert write_small_log(tmp_path, [EVENT]).source == SHOP
