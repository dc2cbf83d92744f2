"""The source as its users see it: one good payment, and one message without an account that is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from kgrisk_swift import Swift

from ingest.locate import locate
from ingest.source import Models, Record
from kg.errors import RecordError

EXAMPLE = Path(__file__).parents[1] / "example"


def test_a_payment_is_an_edge_between_accounts_on_its_value_day() -> None:
    source = Swift(EXAMPLE)
    (record,) = source.records()
    extract = source.claims(record, Models())
    rows = extract.claims.table.to_pylist()
    (paid,) = [row for row in rows if row["name"] == "PAID"]
    assert (paid["subject"], paid["object"]) == ("iban:DE89370400440532013000", "iban:GB82WEST12345698765432")
    assert (paid["value_decimal"], paid["unit"], paid["key"]) == (Decimal("12500.5"), "EUR", "HFN-2024-0315")
    assert paid["valid_from"] == datetime(2024, 3, 15, tzinfo=UTC)
    assert all(locate(record.content, row["locator"], "swift") == row["quote"] for row in rows)
    assert ["begins with no account" in refusal.reason for refusal in extract.refused] == [True]


def test_a_file_without_messages_is_refused() -> None:
    with pytest.raises(RecordError, match="holds no message"):
        Swift(EXAMPLE).claims(Record("swift", "x.txt", b"{4: :32A: never ends"), Models())
