"""
A file of ItemMaintenance, read by the SDK and by lxml alone.
"""

from datetime import date
from pathlib import Path
from random import Random

from lxml import etree
from stdnum.ean import calc_check_digit

from benchmarks.worker import Action, Numbers, Task
from conexxus_sync.sources.naxml import DIALECTS, MaintenanceFile, Record


_HEAD = '<NAXML-MaintenanceRequest version="3.4"><ItemMaintenance><TableAction type="update"/>\n'
_ITEM = """<ITTDetail>
  <RecordAction type="addchange"/>
  <ItemCode>
    <POSCodeFormat format="upcA"/>
    <POSCode>{code}</POSCode>
    <POSCodeModifier>0</POSCodeModifier>
  </ItemCode>
  <ITTData>
    <ActiveFlag value="yes"/>
    <MerchandiseCode>{department}</MerchandiseCode>
    <RegularSellPrice>{price:.2f}</RegularSellPrice>
    <Description>{name} {number}</Description>
    <ItemID>{number}</ItemID>
    <PaymentSystemsProductCode>{product}</PaymentSystemsProductCode>
    <SalesRestriction><MinimumCustomerAge>{age}</MinimumCustomerAge></SalesRestriction>
    <SellingUnits>{units}</SellingUnits>
    <TaxStrategyID>{tax}</TaxStrategyID>
    <FoodStampableFlg>{flag}</FoodStampableFlg>
    <DiscountableFlg>1</DiscountableFlg>
  </ITTData>
</ITTDetail>
"""
_TAIL = "</ItemMaintenance></NAXML-MaintenanceRequest>\n"
_NAMES = ("Cola", "Root beer", "Milk", "Crisps", "Bread", "Apples", "Water", "Mints")


def read(task: Task) -> Action:
    """
    Every item, complete.
    """
    path = _written(task)

    def action() -> Numbers:
        dialect = DIALECTS["generic"].with_ages("years")
        file = MaintenanceFile(path=path, dialect=dialect, today=date(2026, 1, 2))
        items = 0
        for record in file.records():
            assert isinstance(record, Record), record
            items += bool(record.item())
        return {"items": items}

    return action


def bare(task: Task) -> Action:
    """
    The texts and attributes of every element, without any meaning.
    """
    path = _written(task)

    def action() -> Numbers:
        items = 0
        values: dict[str, object] = {}
        for _, element in etree.iterparse(path):
            values[element.tag] = element.text, element.items()
            if element.tag == "ITTDetail":
                items, values = items + 1, {}
                element.clear(keep_tail=False)
                while element.getprevious() is not None:
                    del element.getparent()[0]
        return {"items": items}

    return action


def _written(task: Task) -> Path:
    """
    A file of about as many bytes as the task counts; it is the same each time.
    """
    path, draw, size, number = Path(task.file("ITT.xml")), Random(20), 0, 0

    with path.open("w", encoding="ascii") as file:
        file.write(_HEAD)
        while size < task.count:
            number += 1
            body = f"{number:011d}"
            size += file.write(
                _ITEM.format(
                    code=body + calc_check_digit(body),
                    number=number,
                    department=draw.randrange(60),
                    price=draw.randrange(50, 3_000) / 100,
                    name=draw.choice(_NAMES),
                    product=draw.choice((400, 401, 402, 950)),
                    age=draw.choice((0, 0, 18, 21)),
                    units=draw.choice(("1.000", "6.000", "12.000")),
                    tax=draw.choice((99, 101, 102)),
                    flag=draw.choice("01"),
                )
            )
        file.write(_TAIL)

    return path
