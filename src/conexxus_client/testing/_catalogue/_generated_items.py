"""
Generates any number of realistic items while they are sent.

A block of a thousand items is one template that is filled in at the speed
of C: a million items take a fraction of a second and no memory to speak of.
"""

from collections.abc import Iterator
from functools import cache


BLOCK = 1000

_PRODUCTS = (
    ("WINE", "Wine", "Cabernet Sauvignon", "Full-bodied red wine", "750 ml", 29),
    ("WINE", "Wine", "Pinot Noir", "Light-bodied red wine", "750 ml", 24),
    ("WINE", "Wine", "Chardonnay", "Oaked white wine", "750 ml", 21),
    ("WINE", "Wine", "Riesling", "Dry white wine", "750 ml", 16),
    ("BEER", "Beer", "Pale Ale", "Hoppy and golden", "6 x 330 ml", 9),
    ("BEER", "Beer", "Stout", "Dark, with roasted malt", "4 x 440 ml", 10),
    ("SNCK", "Snacks", "Sea Salt Crisps", "Hand-cooked potato crisps", "150 g", 2),
    ("SNCK", "Snacks", "Roasted Almonds", "Dry roasted, unsalted", "200 g", 5),
    ("DAIR", "Dairy", "Whole Milk", "Pasteurised", "1 l", 1),
    ("DAIR", "Dairy", "Aged Cheddar", "Matured for 12 months", "250 g", 6),
    ("BAKE", "Bakery", "Sourdough Loaf", "Baked this morning", "800 g", 4),
    ("PROD", "Produce", "Gala Apples", "Crisp and sweet", "1 kg", 3),
    ("DELI", "Deli", "Prosciutto", "Dry-cured ham, sliced", "100 g", 7),
    ("DRNK", "Soft Drinks", "Ginger Beer", "Brewed, no alcohol", "330 ml", 1),
    ("DRNK", "Soft Drinks", "Sparkling Water", "Natural mineral water", "1 l", 1),
    ("HOUS", "Household", "Dish Soap", "Lemon scented", "500 ml", 3),
    ("COFF", "Coffee & Tea", "Espresso Beans", "Dark roast", "500 g", 12),
    ("COFF", "Coffee & Tea", "Earl Grey", "Black tea with bergamot", "50 bags", 5),
    ("FROZ", "Frozen", "Garden Peas", "Frozen within two hours", "900 g", 2),
    ("PNTR", "Pantry", "Extra Virgin Olive Oil", "First cold pressing", "500 ml", 11),
)
_MAKERS = (
    "Alder Creek", "Bellweather", "Copper Hill", "Dunmore", "Eastgate", "Fern Valley",
    "Granary", "Harbour Street", "Ivy Lane", "Juniper", "Kestrel", "Larkspur", "Millstone",
    "Northfield", "Old Orchard", "Pinewood", "Quarry Farm", "Rosemont", "Stonebridge",
    "Thornbury", "Upland", "Vale & Sons", "Westbrook", "Yarrow",
)  # fmt: skip

_RANGES = (
    "", "Organic ", "Reserve ", "Classic ", "Family ", "Heritage ", "Local ", "Premium ",
    "Selected ", "Traditional ",
)  # fmt: skip
# What it says, how many times the price, and how much more.
_PACKS = (
    ("", 1, 0),
    (", twin pack", 2, 0),
    (", case of 6", 5, 0),
    (", gift box", 1, 4),
    (", large", 1, 2),
)


class GeneratedItems:
    """
    A catalogue of *count* items, the same ones for the same *seed*.
    """

    def __init__(self, count: int, *, seed: int = 0) -> None:
        if count < 0:
            msg = f"a catalogue can't have {count} items"
            raise ValueError(msg)
        self._count = count
        self._seed = seed

    def fingerprint(self) -> str:
        """
        Changes whenever the items do.
        """
        return f"generated-{self._count}-{self._seed}"

    def count(self) -> int:
        """
        How many items there are.
        """
        return self._count

    def pieces(self, start: int, stop: int | None) -> Iterator[bytes]:
        """
        The items from *start* to before *stop*, several at a time, with
        commas between them.
        """
        end = self._count if stop is None else min(stop, self._count)

        while start < end:
            block = start // BLOCK
            end_of_block = min(end, (block + 1) * BLOCK)
            yield self._encode_block(block, start, end_of_block)
            start = end_of_block

    def _encode_block(self, block: int, start: int, end_of_block: int) -> bytes:
        skus = range(start + 1, end_of_block + 1)

        if len(skus) == BLOCK:
            text = _block_template() % tuple(skus)
        else:
            offset = block * BLOCK
            lines = _item_templates()[start - offset : end_of_block - offset]
            text = b",".join(lines) % tuple(skus)
        maker = _MAKERS[(block + self._seed) % len(_MAKERS)].encode()
        cents = b"%02d" % ((block * 7 + self._seed * 13 + 99) % 100)

        return text.replace(b"@M", maker).replace(b"@C", cents)


@cache
def _block_template() -> bytes:
    return b",".join(_item_templates())


@cache
def _item_templates() -> list[bytes]:
    return [_item_template(index).encode() for index in range(BLOCK)]


def _item_template(index: int) -> str:
    """
    One item of a block; its number, maker and cents are placeholders.
    """
    prefix, category, name, description, size, price = _PRODUCTS[index % len(_PRODUCTS)]
    variant = index // len(_PRODUCTS)
    label = _RANGES[variant % len(_RANGES)]
    pack, times, more = _PACKS[variant // len(_RANGES)]
    vintage = f" {2024 - variant % 12}" if category == "Wine" else ""

    return (
        f'{{"sku":"{prefix}%07d","name":"@M {label}{name}{vintage}, {size}{pack}",'
        f'"price":{price * times + more + variant % 7}.@C,"category":"{category}",'
        f'"description":"{description}"}}'
    )
