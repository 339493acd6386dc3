"""
The catalogue of a simulated back office, and what each of its versions makes of a mirror.
"""

import attrs


BAD = "-1"
# As the guards have it, in whole numbers.
FROM_KNOWN = 20


@attrs.define(eq=False)
class Shelf:
    """
    What is in the catalogue.

    Attributes:
        prices: By SKU; a bad one is `BAD`.
        nameless: How many elements have no SKU.
        repeated: SKUs that come twice.
        is_reversed: Whether they come in another order.
        versions: All that were ever on offer.
    """

    size: int
    prices: dict = attrs.field(factory=dict)
    nameless: int = 0
    repeated: tuple = ()
    is_reversed: bool = False
    versions: list = attrs.field(factory=list)
    made: int = 0

    def __attrs_post_init__(self):
        for _ in range(self.size):
            self.add(1)
        self._note()

    def add(self, count):
        for _ in range(count):
            self.made += 1
            self.prices[f"S{self.made:03}"] = f"{self.made}.50"

    def change(self, kind, number=0, many=1):
        skus = sorted(self.prices)
        chosen = [skus[(number + step) % len(skus)] for step in range(many)] if skus else []
        if kind == "add":
            self.add(many)
        elif kind == "drop":
            for sku in set(chosen):
                del self.prices[sku]
        elif kind == "price":
            for sku in chosen:
                self.prices[sku] = f"{number + 1}.{many:02}"
        elif kind == "bad":
            self.prices |= dict.fromkeys(chosen, BAD)
        elif kind == "good":
            self.prices = {k: "7.25" if v == BAD else v for k, v in self.prices.items()}
        elif kind == "nameless":
            self.nameless = many
        elif kind == "repeat":
            self.repeated = tuple(chosen)
        elif kind == "reverse":
            self.is_reversed = not self.is_reversed
        elif kind == "empty":
            self.prices = {}
        self._note()

    def _note(self):
        self.versions.append((dict(self.prices), self.nameless, self.repeated))

    def elements(self):
        found = [
            {"sku": sku, "name": f"Item {sku}", "price": price}
            for sku, price in self.prices.items()
        ]
        found += [each for each in found if each["sku"] in self.repeated]
        if self.is_reversed:
            found.reverse()

        return found + [{"name": f"no sku {n}", "price": "1.00"} for n in range(self.nameless)]

    def final(self, seen):
        """
        The mirror in the end.
        """
        good, bad, _ = _parts(self.versions[-1])

        return good | {sku: price for sku, price in seen.items() if sku in bad}

    def explains(self, before, after, corrected):
        """
        Does one version, or do two of them, lead from one mirror to another, with
        what an operator *corrected* at any time?
        """
        return any(after in _made(each, before, corrected) for each in self.versions[-12:]) or any(
            after in _made(second, between, corrected)
            for first in self.versions[-4:]
            for between in _made(first, before, corrected)
            for second in self.versions[-4:]
        )


def _parts(version):
    prices, nameless, _ = version
    good = {sku: price for sku, price in prices.items() if price != BAD}

    return good, prices.keys() - good.keys(), nameless


def outcomes(version, before):
    """
    What a pull of *version* can make of the mirror *before*.
    """
    good, bad, nameless = _parts(version)
    kept = {sku: price for sku, price in before.items() if sku in bad}
    yield good | kept
    if nameless:
        yield before | good


def _made(version, before, corrected):
    """
    What a pull of *version*, and corrections before or after it, can make of *before*.
    """
    if not corrected:
        return list(outcomes(version, before))

    found = [*outcomes(version, before), *outcomes(version, before | corrected)]

    return [*found, *(each | corrected for each in found)]
