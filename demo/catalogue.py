"""The README's table of models: ``python -m demo.catalogue`` prints it from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from models.catalog import CATALOG
from models.spec import ModelSpec

HEADER = ("model", "question", "asked about a", "answers with", "the caller sends")


def markdown(specs: Iterable[ModelSpec]) -> str:
    """Return a Markdown table with a row a model, without a final newline.

    Examples
    --------
    >>> print(markdown([CATALOG["churn"]]).splitlines()[-1])
    | `churn` | Will this active customer stop buying? | customer | probability | `customer_id` |
    """
    lines = [HEADER, tuple("---" for _ in HEADER)]
    lines += [
        (
            f"`{spec.name}`",
            spec.question,
            spec.entity,
            spec.output,
            ", ".join(f"`{name}`" for name in ("customer_id", *spec.context)),
        )
        for spec in specs
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(markdown(CATALOG.values()))
