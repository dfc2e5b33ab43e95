from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from features.errors import BadInputError
from models.bundle import Bundle, BundleError
from models.evidence import Counted, Evidence, Group
from models.evidence_words import evidence_of
from models.manifest import write_folder
from models.published import PublishedSpec
from models.score import Score, Scorer

DID = {"en": "stopped buying", "ko": "구매를 멈춤"}
TABLE = Evidence(
    0.3,
    DID,
    {
        "orders": Counted(
            (1.0, 2.0, 5.0),
            (),
            (Group(100, 0.9), Group(90, 0.45), Group(200, 0.2), Group(60, 0.014)),
        ),
        "spent": Counted((50.0,), (), (Group(300, 0.4), Group(300, 0.1)), Group(70, 1.0)),
        "age": Counted((), ("19-24", "35+"), (Group(50, 0.5), Group(80, 0.25))),
        "member": Counted((0.5,), (), (Group(120, 0.31), Group(130, 0.28))),
    },
)


def said(spec: PublishedSpec, name: str, language: str = "en", table: Evidence = TABLE) -> Any:
    feature = next(f for f in spec.features if f.name == name)
    return evidence_of(table, spec, feature, language)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("orders", 0, "90% of customers with no orders stopped buying; 30% overall"),
        ("orders", 1, "45% of customers with 1 orders stopped buying; 30% overall"),
        ("orders", 4, "20% of customers with 2 to 4 orders stopped buying; 30% overall"),
        ("orders", 5, "1.4% of customers with 5 or more orders stopped buying; 30% overall"),
        ("orders", None, ""),
        (
            "spent",
            49.99,
            "40% of customers with amount spent of under USD 50.00 stopped buying; 30% overall",
        ),
        (
            "spent",
            50.0,
            "10% of customers with amount spent of USD 50.00 or more stopped buying; 30% overall",
        ),
        ("spent", None, "100% of customers with unknown amount spent stopped buying; 30% overall"),
        ("age", "35+", "25% of customers with age of 35+ stopped buying; 30% overall"),
        ("age", "25-34", ""),
        ("member", True, '28% of customers with "is a member": yes stopped buying; 30% overall'),
        ("channel", "web", ""),
    ],
)
def test_a_value_is_answered_by_its_group(
    published_spec: Callable[..., PublishedSpec], name: str, value: Any, words: str
) -> None:
    assert said(published_spec(), name)(value) == words


def test_evidence_speaks_korean(published_spec: Callable[..., PublishedSpec]) -> None:
    spec = published_spec(entity="lead")
    assert said(spec, "orders", "ko")(3) == (
        "주문 수 2 이상 5 미만인 잠재 고객의 20%가 구매를 멈춤 (전체 30%)"
    )
    assert said(spec, "spent", "ko")(None) == (
        "금액 알 수 없는 잠재 고객의 100%가 구매를 멈춤 (전체 30%)"
    )
    assert said(spec, "age", "ko")("35+") == "나이 35+인 잠재 고객의 25%가 구매를 멈춤 (전체 30%)"


def test_reasons_carry_the_evidence_of_their_value(made: Any) -> None:
    scorer = Scorer(replace(made.bundle, evidence=TABLE))
    for language in ("en", "ko"):
        for row in made.rows(30):
            score = scorer.score(row, 0, 5, language)
            assert isinstance(score, Score)
            for reason in score.reasons:
                look_up = said(made.bundle.spec, reason.code, language)
                assert reason.evidence == look_up(reason.value)
                again = scorer.explainer.say_again(msgspec.to_builtins(reason), language)
                assert again == msgspec.to_builtins(reason)


def test_a_stored_reason_is_said_in_another_language(made: Any) -> None:
    scorer = Scorer(replace(made.bundle, evidence=TABLE))
    row = made.rows(1)[0]
    english, korean = (scorer.score(row, 0, 3, language).reasons for language in ("en", "ko"))  # type: ignore[union-attr]
    for one, same in zip(english, korean, strict=True):
        stored = msgspec.to_builtins(one)
        assert scorer.explainer.say_again(stored, "ko") == msgspec.to_builtins(same)
        # A batch of a version that had no evidence, and a feature that there is no more.
        del stored["evidence"]
        assert scorer.explainer.say_again(stored, "en")["evidence"] == one.evidence
        assert scorer.explainer.say_again({**stored, "code": "old"}, "ko")["words"] == one.words


def test_evidence_survives_the_folder_and_is_guarded(made: Any, tmp_path: Path) -> None:
    folder = replace(made.bundle, evidence=TABLE).save(tmp_path / "1")
    assert Bundle.load(folder).evidence == TABLE
    content = (folder / "evidence.json").read_bytes()
    (folder / "evidence.json").write_bytes(content.replace(b"0.45", b"0.46"))
    with pytest.raises(BundleError, match=r"evidence\.json"):
        Bundle.load(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["manifest.json"]
    files["evidence.json"] = content.replace(b"1.0,", b"9.0,")
    with pytest.raises(BundleError, match="edges that do not rise"):
        Bundle.load(write_folder(tmp_path / "2", files))


def test_a_version_without_evidence_still_loads_and_gives_none(made: Any, tmp_path: Path) -> None:
    folder = made.bundle.save(tmp_path / "1")
    assert not (folder / "evidence.json").exists()
    bundle = Bundle.load(folder)
    assert bundle.evidence is None
    score = Scorer(bundle).score(made.rows(1)[0], 0, 3)
    assert isinstance(score, Score)
    assert [reason.evidence for reason in score.reasons] == ["", "", ""]


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        (((1.0,), (), (Group(50, 0.5),)), "1 groups for 1 edges"),
        (((1.0,), ("a",), (Group(50, 0.5),)), "1 groups for 1 edges and 1 levels"),
        (((2.0, 1.0), (), (Group(50, 0.5),) * 3), "do not rise"),
        (((), ("a",), (Group(50, 1.5),)), "outside 0 to 1"),
    ],
)
def test_a_table_that_cannot_be_is_refused(counted: Any, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        Counted(*counted)


@pytest.mark.parametrize(("rate", "did"), [(1.2, DID), (0.2, {"en": "answered"})])
def test_evidence_without_words_or_a_share_is_refused(rate: float, did: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="words in each language"):
        Evidence(rate, did, {})
