"""A body of MLflow's scoring protocol as columns: four forms of JSON, and CSV.

Source: MLflow's documentation of `mlflow models serve`: dataframe_split, dataframe_records,
instances, inputs and params.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import Field, WithJsonSchema

from serving.errors import RequestError
from serving.protocols.bodies import Lenient, decoded
from serving.schema import MOST_ROWS

Columns = dict[str, list[Any]]
Records = Annotated[list[dict[str, Any]], Field(max_length=MOST_ROWS)]
MOST_COLUMNS = 1_000


# Either form is checked by hand: of a union pydantic would tell what is wrong with both.
Inputs = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "array"}},
                {"type": "array", "items": {"type": "object"}},
            ],
            "description": "Columns by name, or records.",
        }
    ),
]


class Split(Lenient):
    """What pandas' ``to_dict(orient="split")`` gives; the index is not read."""

    columns: list[str] = Field(max_length=MOST_COLUMNS)
    data: list[list[Any]] = Field(max_length=MOST_ROWS)


class Params(Lenient):
    """Which model is asked, and for what."""

    model: str | None = Field(default=None, max_length=100)
    outputs: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Names of outputs; then a prediction is a record of them.",
    )


class Invocation(Lenient):
    """Rows in exactly one of four forms."""

    dataframe_split: Split | None = None
    dataframe_records: Records | None = None
    instances: Records | None = None
    inputs: Inputs = None
    params: Params | None = None


class Invoked(NamedTuple):
    """A request, read."""

    columns: Columns
    params: Params


def read_json(body: bytes) -> Invoked:
    """Return the columns of a JSON body.

    Raises
    ------
    RequestError, RequestValidationError, HTTPException
        It is no such request.

    Examples
    --------
    >>> read_json(b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, NaN]]}}')[0]
    {'a': [1, 3], 'b': [2, nan]}
    """
    asked = decoded(Invocation, body)
    forms = {name: getattr(asked, name) for name in FORMS}
    given = [form for form in forms.values() if form is not None]
    if len(given) != 1:
        raise RequestError(
            f"The body has {len(given)} of the fields that hold rows.",
            remedy=f"Send exactly one: {', '.join(FORMS)}.",
        )
    (form,) = given
    return Invoked(_columns_of(form), asked.params or Params())


FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def table_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Columns:
    """Return rows as columns.

    Raises
    ------
    RequestError
        A name is there twice, or a row has more or fewer values than there are names.
    """
    if len(set(names)) < len(names):
        raise RequestError("A column is there more than once.", remedy="Send each column once.")
    for place, row in enumerate(rows):
        if len(row) != len(names):
            raise RequestError(
                f"Row {place} has {len(row)} values, and there are {len(names)} columns.",
                remedy="Send a value for each column, null where it is not known.",
            )
    columns = map(list, zip(*rows, strict=True)) if rows else ([] for _ in names)
    return dict(zip(names, columns, strict=True))


def _columns_of(form: Any) -> Columns:
    if isinstance(form, Split):
        return table_of(form.columns, form.data)
    if isinstance(form, dict) and set(map(type, form.values())) <= {list}:
        return form
    if isinstance(form, list) and set(map(type, form)) <= {dict}:
        return _of_records(form)
    what = "must hold columns by name, each a list, or a list of records"
    raise RequestError(
        f"inputs {what}.",
        remedy="Rows without names are not taken: /v2/models/{model} lists the names.",
        fields=[("inputs", what)],
    )


def _of_records(records: Sequence[Mapping[str, Any]]) -> Columns:
    names = dict.fromkeys(name for record in records for name in record)
    if len(names) > MOST_COLUMNS:
        raise RequestError(
            f"The rows have more than {MOST_COLUMNS:,} names.", remedy="Send the model's features."
        )
    return {name: [record.get(name) for record in records] for name in names}
