"""What each named query must answer, in plain Python over the visible statements.

One function per query, called like its file and written from its head comment: `oracle(world, at, **params)` gives
the rows in order, with the columns the query has.
"""

from tests.oracles.belief import (
    believed_at,
    conflicting_sources,
    documents_that_mention_both,
    entity_profile,
    evidence_behind_edge,
    restatements,
    said_about,
    what_changed_between,
)
from tests.oracles.firms import (
    common_officers,
    largest_holders,
    ownership_chain,
    similar_companies,
    supply_chain_upstream,
    ultimate_owner,
)
from tests.oracles.lending import (
    assets_hit,
    concentration_by_sector,
    exposure_by_counterparty,
    exposure_to_distressed,
    hit_if_fails,
    lender_concentration,
    related_party_loans,
)
from tests.oracles.payments import (
    circular_payments,
    insider_trades_before_event,
    pattern_findings,
    payment_trail,
    payments_between_owners,
    shared_identifiers,
    suspicious_payments,
)
from tests.oracles.runs import (
    attribution_of_run,
    figures_of_run,
    losses_of_run,
    risk_runs,
    scenario_losses,
    warnings_of,
)
from tests.oracles.scores import distress_ranking, sentiment_by_day, top_predicted_links

__all__ = [
    "assets_hit",
    "attribution_of_run",
    "believed_at",
    "circular_payments",
    "common_officers",
    "concentration_by_sector",
    "conflicting_sources",
    "distress_ranking",
    "documents_that_mention_both",
    "entity_profile",
    "evidence_behind_edge",
    "exposure_by_counterparty",
    "exposure_to_distressed",
    "figures_of_run",
    "hit_if_fails",
    "insider_trades_before_event",
    "largest_holders",
    "lender_concentration",
    "losses_of_run",
    "ownership_chain",
    "pattern_findings",
    "payment_trail",
    "payments_between_owners",
    "related_party_loans",
    "restatements",
    "risk_runs",
    "said_about",
    "scenario_losses",
    "sentiment_by_day",
    "shared_identifiers",
    "similar_companies",
    "supply_chain_upstream",
    "suspicious_payments",
    "top_predicted_links",
    "ultimate_owner",
    "warnings_of",
    "what_changed_between",
]
