"""Every value an entity can have, its unit and modality, and the nodes that hold values in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kg.ontology.shapes import Property

PROPERTIES: Final[Mapping[str, Property]] = {
    "name": Property("text", "A name the entity goes by.", node="Name", many=True, modality="text"),
    "ticker": Property("text", "Exchange symbol.", many=True),
    "identifier": Property("text", "Another identifier, as scheme:value.", many=True),
    "title": Property("text", "Title of a document or event.", modality="text"),
    "text": Property("text", "First part of the content.", modality="text"),
    "path": Property("text", "Address of the bytes: file digest.", modality="image"),
    "form": Property("text", "Form of a filing, such as 10-K."),
    "url": Property("text", "Where the document was published."),
    "language": Property("text", "Language of a document, ISO 639-1."),
    "document_type": Property("text", "What a page shows: receipt, invoice, cheque, chart, table, letter, ..."),
    "caption": Property("text", "What a page shows: one sentence made only of what was found on it."),
    "author": Property("text", "Account or person that posted the document."),
    "reach": Property("int", "Followers or readers the post had.", unit="count", time="event"),
    "reposts": Property("int", "How many documents repeat this one.", unit="count", time="event"),
    "duration": Property("real", "Length of a recording.", unit="second"),
    "segment": Property("text", "What is said in a stretch of a recording; the key is its time.", time="event"),
    "arousal": Property(
        "real",
        "How agitated a stretch sounds beside its speaker's own middle, 0 to 1; a measure of the voice, no emotion.",
        unit="share",
        time="event",
    ),
    "speaker": Property("text", "Which voice of a recording says the stretch that is the key: S1, S2.", time="event"),
    "event_type": Property(
        "text",
        "default, bankruptcy, distress, downgrade, upgrade, lawsuit, acquisition, sanction, officer_change, "
        "earnings_surprise, supply_disruption, fraud, weather, ...",
    ),
    "sentiment": Property(
        "real",
        "Tone of a document towards the entity, -1 to 1; the key is the document.",
        unit="tone",
        node="Score",
        time="event",
    ),
    "latitude": Property("real", "North of the equator.", unit="degree"),
    "longitude": Property("real", "East of Greenwich.", unit="degree"),
    "radius": Property("real", "Reach of an event around its place.", unit="kilometre"),
    "close": Property("money", "Closing price of the day.", time="event"),
    "volume": Property("real", "Units traded in the day.", unit="units", time="event"),
    "description": Property("text", "What the entity does.", modality="text"),
    "incorporated": Property("time", "Date of incorporation."),
    "flag": Property("text", "Mark set by a register, such as a fraud label of an account.", many=True),
    "assets": Property("money", "Total assets.", time="event", modality="numeric"),
    "liabilities": Property("money", "Total liabilities.", time="event", modality="numeric"),
    "equity": Property("money", "Total equity.", time="event", modality="numeric"),
    "revenue": Property("money", "Revenue.", time="event", modality="numeric"),
    "net_income": Property("money", "Net income or loss.", time="event", modality="numeric"),
    "operating_income": Property("money", "Operating income or loss.", time="event", modality="numeric"),
    "cash": Property("money", "Cash and equivalents.", time="event", modality="numeric"),
    "debt": Property("money", "Interest-bearing debt.", time="event", modality="numeric"),
    "current_assets": Property("money", "Current assets.", time="event", modality="numeric"),
    "current_liabilities": Property("money", "Current liabilities.", time="event", modality="numeric"),
    "interest_expense": Property("money", "Interest expense.", time="event", modality="numeric"),
    "external_assets": Property("money", "Assets outside the interbank network.", time="event", modality="numeric"),
    "fact": Property("money", "Any other reported figure; the key starts with its concept.", time="event"),
    "measure": Property(
        "real", "Any other reported number that is no money; the key starts with its concept.", time="event"
    ),
    "statement": Property("text", "Any other reported text; the key starts with its concept.", time="event"),
    "distress": Property("real", "Probability of a distress event within 12 months.", unit="probability", node="Score"),
    "distress_low": Property("real", "Low end of the range of `distress`.", unit="probability", node="Score"),
    "distress_high": Property("real", "High end of the range of `distress`.", unit="probability", node="Score"),
    "laundering": Property(
        "real",
        "Probability that a payment launders money; on its payer, the key is the statement of the PAID edge.",
        unit="probability",
        node="Score",
        time="event",
    ),
    "laundering_low": Property("real", "Lower end of it, 95 %.", unit="probability", node="Score", time="event"),
    "laundering_high": Property("real", "Upper end of it, 95 %.", unit="probability", node="Score", time="event"),
    "finding": Property(
        "real",
        "Score of a pattern's finding, 0 to 1; on its subject, the key is <pattern>|<finding>.",
        node="Score",
        time="event",
    ),
    "finding_edge": Property(
        "real",
        "Place of an edge among those a finding stands on; on its subject, the key is <pattern>|<finding>|<edge>.",
        node="Score",
        time="event",
    ),
    "contagion_loss": Property("money", "Loss in a stress run; the key names the run.", node="Score"),
    "loss_low": Property("money", "Low end (5 %) of the range of `contagion_loss`.", node="Score"),
    "loss_high": Property("money", "High end (95 %) of the range of `contagion_loss`.", node="Score"),
    "equity_after": Property("money", "Equity after a stress run; the key names the run.", node="Score"),
    "fails": Property("int", "1: it defaults in a stress run; the key names the run.", node="Score"),
    "path_loss": Property(
        "money", "What one path carries of a loss; the key names the run, its scenario and the place.", node="Score"
    ),
    "warning": Property("real", "Index of early warning, 0 to 1; the key names the run.", node="Score"),
    "alarm": Property("real", "The `warning` above which the run calls an alarm; the key names the run.", node="Score"),
    "run": Property("text", "What a run of the engine computed, of its document; the key is its kind.", node="Score"),
    "run_question": Property("text", "What a run was asked, as JSON.", node="Score"),
    "run_commit": Property("int", "Commit of the ledger that a run was asked of.", node="Score"),
    "run_total": Property("money", "Loss of everyone in a stress run; the key is the scenario.", node="Score"),
    "figure": Property("real", "A risk figure; the key names it, its column and the run.", node="Score"),
    "rank_score": Property("real", "A network score; the key names measure and run.", node="Score"),
    "embedding": Property(
        "text", "vectors:<digest>#<row>, a row of a vector file; the key names the model.", node="Embedding"
    ),
}

VALUE_NODES: Final = ("Fact", "Name", "Score", "Embedding")
"""Labels of the clocked value nodes a store holds beside the entities."""
HAS: Final[Mapping[str, str]] = {label: f"HAS_{label.upper()}" for label in VALUE_NODES}

DISTRESS_EVENTS: Final = ("default", "bankruptcy", "distress")
"""Values of event_type that count as distress of the AFFECTED_BY entity whose role is `subject`."""
