"""The tables of served scores."""

from __future__ import annotations

import sqlalchemy as sa


def tables(prefix: str) -> tuple[sa.MetaData, sa.Table, sa.Table]:
    """Return the schema, its table of scores, and that of scores that are gone.

    Examples
    --------
    >>> tables("nextbest_")[1].name
    'nextbest_scores'
    """
    metadata = sa.MetaData()
    text = sa.Text
    scores = sa.Table(
        f"{prefix}scores",
        metadata,
        sa.Column("model", text, primary_key=True),
        # Place in the model's order, highest margin first: pages are read along it.
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", text, nullable=False),
        sa.Column("customer_id", text, nullable=False),
        sa.Column("row_id", text, nullable=False),
        sa.Column("campaign_id", text),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("margin", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("grade", text),
        sa.Column("segment", text),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("scored_at", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("earlier", sa.JSON(none_as_null=True)),
        sa.Column("abstained", text),
        # What a row is about and what it says, in short, and since when it says so.
        sa.Column("about", text),
        sa.Column("content", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger),
        sa.UniqueConstraint("model", "customer_id", "row_id"),
    )
    sa.Index(f"{prefix}scores_customer", scores.c.customer_id)
    sa.Index(f"{prefix}scores_campaign", scores.c.model, scores.c.campaign_id, scores.c.place)
    sa.Index(f"{prefix}scores_segment", scores.c.segment, scores.c.customer_id)
    sa.Index(f"{prefix}scores_changed", scores.c.model, scores.c.changed_at, scores.c.about)
    gone = sa.Table(
        f"{prefix}scores_gone",
        metadata,
        sa.Column("model", text, primary_key=True),
        sa.Column("about", text, primary_key=True),
        sa.Column("customer_id", text, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    sa.Index(f"{prefix}scores_gone_changed", gone.c.model, gone.c.changed_at, gone.c.about)
    return metadata, scores, gone
