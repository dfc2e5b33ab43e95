"""A row says which campaign it is about; what is known of the campaign is looked up here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from features.errors import MissingContextError, UnknownCampaignError
from features.feature import CAMPAIGN
from features.spine import Spine


def with_campaign(
    spine: Spine, campaigns: Mapping[str, Mapping[str, Any]], needed: Collection[str]
) -> Spine:
    """Return the spine with the needed values of each row's campaign added to its context.

    Parameters
    ----------
    spine : Spine
    campaigns : mapping of campaign_id to its columns
    needed : collection of str
        Context names; those that begin with ``"campaign."`` are looked up.

    Raises
    ------
    MissingContextError
        The rows do not say which campaign they are about.
    UnknownCampaignError
        A row names a campaign that nobody has described.
    """
    wanted = sorted(name for name in needed if name.startswith(CAMPAIGN))
    if not wanted:
        return spine
    if "campaign_id" not in spine.context:
        raise MissingContextError(
            f"{', '.join(wanted)} cannot be looked up: the rows carry no campaign_id.",
            remedy="Give campaign_id in the context of every row.",
        )
    chosen = [campaign_of(campaigns, campaign) for campaign in spine.context["campaign_id"]]
    context = dict(spine.context)
    for name in wanted:
        values = [campaign.get(name.removeprefix(CAMPAIGN)) for campaign in chosen]
        instant = name.endswith("_at")
        context[name] = np.array(values, dtype=np.int64 if instant else object)
    return replace(spine, context=context)


def campaign_of(campaigns: Mapping[str, Mapping[str, Any]], campaign_id: Any) -> Mapping[str, Any]:
    """Return what is known of a campaign.

    Raises
    ------
    UnknownCampaignError
        Nobody has described it.
    """
    if campaign_id not in campaigns:
        raise UnknownCampaignError(
            f"There is no campaign {campaign_id!r}.",
            remedy=f"{len(campaigns)} are known; list them with: python -m features log",
        )
    return campaigns[campaign_id]
