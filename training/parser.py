"""What may be typed after ``python -m training``."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.clock import parse_duration
from features.spark_session import add_engine_arguments
from models.catalog import CATALOG

EVERY = "all"
PROGRAM = "python -m training"


def job_parser() -> argparse.ArgumentParser:
    """Return the parser of everything but training itself."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Train the models of the catalogue, score with them, and watch them.",
        epilog=f"To train: {PROGRAM} MODEL [--as-of DATE] [--promote], where MODEL is one of "
        f"{', '.join(CATALOG)}, or {EVERY} of them.",
    )
    jobs = parser.add_subparsers(dest="job", required=True, metavar="MODEL | JOB")
    dataset = jobs.add_parser("dataset", help="write a model's point-in-time rows to a file")
    dataset.add_argument("model", help=_models())
    dataset.add_argument("--out", type=Path, required=True, help="a .parquet or .csv file")
    _as_of(dataset)
    add_engine_arguments(dataset)
    score = jobs.add_parser(
        "score", help="score all customers, open campaigns and current placements"
    )
    add_engine_arguments(score)
    predict = jobs.add_parser(
        "predict", help="score the rows of a file that has the columns of the company's table"
    )
    predict.add_argument("model", help=_models())
    predict.add_argument("rows", type=Path, help="a .csv, .csv.gz or .parquet file")
    predict.add_argument("--out", type=Path, required=True, help="a .csv file")
    promote = jobs.add_parser("promote", help="choose which version serves")
    promote.add_argument("model", help=_models())
    which = promote.add_mutually_exclusive_group()
    which.add_argument("--version", help="by default the latest challenger")
    which.add_argument("--rollback", action="store_true", help="back to the previous champion")
    _reason(promote)
    rollback = jobs.add_parser("rollback", help="go back to the previous champion")
    rollback.add_argument("model", help=_models())
    _reason(rollback)
    prospects = jobs.add_parser("prospects", help="list whom to contact next in a campaign")
    prospects.add_argument("--campaign", required=True, help="its id")
    prospects.add_argument("--model", help="by default the first that is about campaigns")
    prospects.add_argument(
        "--value", type=int, help="what one yes is worth, in minor units such as cents"
    )
    prospects.add_argument(
        "--cost", type=int, help="of one contact, in minor units; by default the campaign's"
    )
    prospects.add_argument(
        "--save-rate", type=float, help="for a model of a loss: whom a contact keeps, 0 to 1"
    )
    prospects.add_argument("--limit", type=_positive, help="places shown (default: 20; file: all)")
    prospects.add_argument("--out", type=Path, help="a .csv file, safe for spreadsheets")
    name = jobs.add_parser("name", help="give a segment a name that survives retraining")
    name.add_argument("model", help="the model of segments, such as segments")
    name.add_argument("segment", type=int, help="its id, as the card and every answer give it")
    name.add_argument("name", help="what people call it")
    name.add_argument("--description", default="", help="in place of what training says of it")
    monitor = jobs.add_parser(
        "monitor",
        help="compare a champion with what happened since",
        description="Ends with 0: keep the champion, 1: retrain, 2: roll back, and 3 if it cannot "
        "be told.",
    )
    monitor.add_argument("model", help=_models())
    monitor.add_argument("--report", type=Path, help="a .json file for every figure")
    return parser


def train_parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m training MODEL``."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Train one model, or all of them.")
    parser.add_argument("model", help=f"{_models()}, or {EVERY}")
    _as_of(parser)
    parser.add_argument(
        "--promote", action="store_true", help="let what passes the gate become the champion"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write every figure with its interval as JSON"
    )
    parser.add_argument(
        "--regrade",
        action="store_true",
        help="cut the grades anew, instead of keeping the champion's cut points",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn (default: 0)")
    parser.add_argument(
        "--budget",
        type=_seconds,
        default=0.0,
        metavar="60s",
        help="how long to search for better settings of the trees (default: the model's own)",
    )
    parser.add_argument(
        "--rows",
        type=_rows,
        metavar="N",
        help="draw about so many rows where there are more (0 or all: none is left out; default: "
        "what the model says, 1,000,000)",
    )
    return parser


def _reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="of a roll-back, kept with the version left")


def _as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-of", metavar="DATE", help="train as if it were then, such as 2017-12-04"
    )


def _models() -> str:
    return f"one of {', '.join(CATALOG)}"


def _seconds(text: str) -> float:
    return parse_duration(text) / 1e6


def _rows(text: str) -> int:
    number = 0 if text == "all" else int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number
