"""From the parameters of a list to a question that has a meaning, or a refusal that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.errors import UnknownCampaignError
from features.names import one_of
from serving.errors import RequestError, WrongOutputError
from serving.lists.listing import Ask

if TYPE_CHECKING:
    from models.spec import ModelSpec
    from serving.parts import Parts
    from serving.schema import ProspectsQuery


def question_of(parts: Parts, query: ProspectsQuery) -> Ask:
    """Return the question that a request for a list asks.

    Raises
    ------
    RequestError, WrongOutputError, UnknownModelError, UnknownCampaignError
        Listing what there is instead.
    """
    spec = model_for(parts, query.model, query.campaign)
    store = parts.store.store
    cost = query.cost
    if query.campaign is not None:
        if query.campaign not in store.campaigns:
            known = sorted(store.campaigns, key=lambda campaign: (len(campaign), campaign))
            raise UnknownCampaignError("No campaign has this id.", remedy=one_of(known))
        if cost is None and query.value is not None:
            cost = store.campaigns[query.campaign].get("cost")
    if query.value is None:
        for name in ("cost", "save_rate"):
            if getattr(query, name) is not None:
                raise RequestError(
                    f"{name} was given without a value.",
                    remedy="Give value= too, in minor units of the currency.",
                    fields=[(name, "needs value")],
                )
    check_segment(parts, query.segment)
    return Ask(
        spec.name,
        query.campaign,
        query.segment,
        query.min_probability,
        query.value,
        cost,
        query.save_rate,
        spec.positive_is_good,
        store.source.consent,
    )


def model_for(parts: Parts, model: str | None, campaign: str | None) -> ModelSpec:
    """Return the model a list is asked from; without a name, the one that takes campaigns.

    Raises
    ------
    RequestError
        No model was named and not exactly one takes campaigns, or the one named takes none.
    WrongOutputError
        The model gives segments.
    """
    specs = parts.champions.specs.values()
    listed = one_of([spec.name for spec in specs if spec.output == "probability"])
    if model is None:
        takes = [spec for spec in specs if "campaign_id" in spec.context]
        if len(takes) != 1:
            raise RequestError(
                "A list needs a model.", remedy=listed, fields=[("model", "is required")]
            )
        return takes[0]
    spec = parts.champions.spec(model)
    if spec.output != "probability":
        raise WrongOutputError(
            f"{model!r} gives segments, which have no order.",
            remedy=f"{listed} Customers of one segment: segment=.",
        )
    if campaign is not None and "campaign_id" not in spec.context:
        raise RequestError(
            f"{model!r} is not about campaigns.",
            remedy="Leave campaign out.",
            fields=[("campaign", "does not belong to this model")],
        )
    return spec


def check_segment(parts: Parts, segment: str | None) -> None:
    """Refuse a segment that no champion has, naming those there are."""
    served = parts.champions.current().values()
    names = [known.name for champion in served for known in champion.bundle.spec.segments]
    if segment is not None and names and segment not in names:
        raise RequestError(
            "No segment has this name.",
            remedy=one_of(names),
            fields=[("segment", "is not the name of a segment")],
        )
