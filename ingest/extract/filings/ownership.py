"""Forms 3, 4 and 5: who is an officer, director or large holder of whom, and what insiders bought and sold.

Reads the SEC's ownershipDocument XML. A transaction is one TRADED edge with its day, side (acquired = B, disposed =
S), SEC transaction code and, where a price is told, amount. What is owned after the last transaction of a day, and each
holding of Form 3 or 5, is a HOLDS edge; its role says whether directly (D) or indirectly and how (`I: By Trust`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from lxml import etree

from ingest.clean import number, when
from ingest.extract.filings.filing import Cover, Party, Spot, Witness
from ingest.extract.formats.identifier import name_id
from ingest.extract.formats.markup import Paths, inner, local
from kg.model import Claim, Edge, Node, Value, as_time

ROLES = {
    "isDirector": "director",
    "isOfficer": "officer",
    "isTenPercentOwner": "ten percent owner",
    "isOther": "other",
}
"""Flags of a reporting owner and the role each stands for."""
_TRUE = ("1", "true")


class Ownership:
    """One ownershipDocument."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._paths = Paths()
        self.issuer = self._issuer()
        self.owners = [self._owner(element) for element in root.iter("{*}reportingOwner")]

    def cover(self) -> Cover:
        """Form, period, signature date and parties."""
        signed = [when(inner(e)) for e in self._root.iter("{*}signatureDate")]
        latest = max((day for day in signed if day), default=None)
        return Cover(
            form=self._spot(self._root, "documentType"),
            published=as_time(latest) if latest else None,
            period=when(self._text(self._root, "periodOfReport")),
            parties=[*self.owners, *([self.issuer] if self.issuer else [])],
        )

    def claims(self, witness: Witness) -> Iterator[Claim]:
        """OFFICER_OF, securities of the issuer, TRADED and HOLDS."""
        if self.issuer is None:
            return
        period = when(self._text(self._root, "periodOfReport"))
        held_from = as_time(period) if period else witness.published
        for element, owner in zip(self._root.iter("{*}reportingOwner"), self.owners, strict=True):
            yield from self._roles(element, owner, witness, held_from)
        seen: Counter[str] = Counter()
        after: dict[tuple[str, str], Claim] = {}
        for element in self._root.iter(etree.Element):
            name = local(element)
            if name in ("nonDerivativeTransaction", "derivativeTransaction"):
                yield from self._transaction(element, witness, seen)
                after |= self._after(element, witness)
            elif name in ("nonDerivativeHolding", "derivativeHolding"):
                yield from self._holding(element, witness, held_from, seen)
        yield from after.values()

    def _roles(self, element: etree._Element, owner: Party, witness: Witness, held_from: datetime) -> Iterator[Claim]:
        assert self.issuer is not None
        relationship = next(element.iter("{*}reportingOwnerRelationship"), None)
        if relationship is None:
            return
        for flag, role in ROLES.items():
            if self._text(relationship, flag).lower() not in _TRUE:
                continue
            title = self._text(relationship, "officerTitle") if role == "officer" else ""
            edge = Edge("OFFICER_OF", owner.id, self.issuer.id, {"role": title or role}, role)
            yield witness.says(edge, self._whole(relationship), held_from)

    def _security(self, element: etree._Element, witness: Witness) -> tuple[str, list[Claim]]:
        """Id of the security a row is about, and the claims that make it a security of the issuer."""
        assert self.issuer is not None
        title = self._text(element, "securityTitle") or "security"
        name = f"{self.issuer.name} {title}"
        id, spot = name_id(name), self._whole(next(element.iter("{*}securityTitle"), element))
        return id, [
            witness.says(Node("Security", id, {"name": name}), spot),
            witness.says(Edge("ISSUED", self.issuer.id, id), spot),
        ]

    def _transaction(self, element: etree._Element, witness: Witness, seen: Counter[str]) -> Iterator[Claim]:
        day = when(self._text(element, "transactionDate"))
        shares = number(self._text(element, "transactionShares") or self._text(element, "transactionTotalValue"))
        side = {"A": "B", "D": "S"}.get(self._text(element, "transactionAcquiredDisposedCode"))
        if day is None or shares is None or side is None:
            return
        price = number(self._text(element, "transactionPricePerShare"))
        id, security = self._security(element, witness)
        yield from security
        props: dict[str, Value] = {
            "quantity": float(shares),
            "role": f"{side}:{self._text(element, 'transactionCode')}",
        }
        if price is not None:
            props |= {"amount": shares * price, "currency": "USD"}
        key = f"{day}/{side}/{_plain(shares)}@{'' if price is None else _plain(price)}"
        seen[f"{id} {key}"] += 1
        if (times := seen[f"{id} {key}"]) > 1:  # two lines of one filing that read alike are two trades
            key = f"{key}#{times}"
        for owner in self.owners:
            yield witness.says(Edge("TRADED", owner.id, id, props, key), self._whole(element), as_time(day))

    def _holding(
        self, element: etree._Element, witness: Witness, held_from: datetime, seen: Counter[str]
    ) -> Iterator[Claim]:
        shares = number(
            self._text(element, "sharesOwnedFollowingTransaction") or self._text(element, "underlyingSecurityShares")
        )
        if shares is None:
            return
        id, security = self._security(element, witness)
        yield from security
        for owner, claim in self._held(element, id, shares, witness, held_from):
            edge = claim.what
            assert isinstance(edge, Edge)
            seen[f"{owner} {id} {edge.key}"] += 1
            if (times := seen[f"{owner} {id} {edge.key}"]) > 1:  # lines of one form that read alike are two holdings
                claim = replace(claim, what=replace(edge, key=f"{edge.key}#{times}"))
            yield claim

    def _after(self, element: etree._Element, witness: Witness) -> dict[tuple[str, str], Claim]:
        """What each owner holds after a transaction, by owner and edge key: a later row of the day takes its place."""
        day = when(self._text(element, "transactionDate"))
        shares = number(self._text(element, "sharesOwnedFollowingTransaction"))
        if day is None or shares is None or number(self._text(element, "transactionShares")) is None:
            return {}
        id, _ = self._security(element, witness)
        found = self._held(element, id, shares, witness, as_time(day))
        return {(f"{owner} {id}", claim.what.key): claim for owner, claim in found if isinstance(claim.what, Edge)}

    def _held(
        self, element: etree._Element, id: str, shares: Decimal, witness: Witness, since: datetime
    ) -> Iterator[tuple[str, Claim]]:
        """(owner, HOLDS of each owner), told apart by direct or indirect ownership, its nature, exercise price and
        expiry, and not by day: what a later form says of it takes the place of this.
        """
        how = self._text(element, "directOrIndirectOwnership") or "D"
        nature = self._text(element, "natureOfOwnership")
        role = f"{how}: {nature}" if nature else how
        option = [self._text(element, name) for name in ("conversionOrExercisePrice", "expirationDate")]
        key = "/".join(part for part in (how, nature.casefold(), *option) if part)
        for owner in self.owners:
            edge = Edge("HOLDS", owner.id, id, {"quantity": float(shares), "role": role}, key)
            yield owner.id, witness.says(edge, self._whole(element), since)

    def _issuer(self) -> Party | None:
        element = next(self._root.iter("{*}issuer"), None)
        if element is None:
            return None
        symbol = self._text(element, "issuerTradingSymbol")
        ticker = self._spot(element, "issuerTradingSymbol") if symbol.upper() not in ("", "NONE", "N/A") else None
        name, cik = self._text(element, "issuerName"), self._text(element, "issuerCik")
        return Party(name, self._whole(element), cik, "issuer", ticker=ticker)

    def _owner(self, element: etree._Element) -> Party:
        id = next(element.iter("{*}reportingOwnerId"), element)
        return Party(self._text(id, "rptOwnerName"), self._whole(id), self._text(id, "rptOwnerCik"), "reporting owner")

    def _text(self, element: etree._Element, name: str) -> str:
        """Text of the first descendant of that name, of its `value` where it has one."""
        found = next(element.iter(f"{{*}}{name}"), None)
        if found is None:
            return ""
        value = next(found.iter("{*}value"), found)
        return "" if value is found and len(found) else inner(value)

    def _spot(self, element: etree._Element, name: str) -> Spot | None:
        found = next(element.iter(f"{{*}}{name}"), None)
        return self._whole(found) if found is not None and inner(found) else None

    def _whole(self, element: etree._Element) -> Spot:
        return Spot(f"xpath:{self._paths.of(element)}", inner(element))


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
