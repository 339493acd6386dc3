"""
Memory does not grow with a file of NAXML.
"""

import os
import subprocess
import sys

import pytest

from maintenance_files import document, good


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
SIZE = (10 if IS_SMALL else 200) * 1_000_000
MORE = """
    <ActiveFlag value="yes"/><MerchandiseCode>7</MerchandiseCode><ItemID>12345</ItemID>
    <ItemType><ItemTypeCode>mdse</ItemTypeCode></ItemType>
    <PaymentSystemsProductCode>400</PaymentSystemsProductCode>
    <SalesRestriction><MinimumCustomerAge>18</MinimumCustomerAge></SalesRestriction>
    <SellingUnits>1.000</SellingUnits><TaxStrategyID>101</TaxStrategyID>
    <FoodStampableFlg>0</FoodStampableFlg><DiscountableFlg>1</DiscountableFlg>
"""

# `ru_maxrss` survives an exec and would report the parent's.
READ = """
import sys
from datetime import date
from conexxus_sync.sources.naxml import DIALECTS, MaintenanceFile, NaxmlError, Record

dialect = DIALECTS["generic"].with_ages("years")
file = MaintenanceFile(path=sys.argv[1], dialect=dialect, today=date(2026, 1, 2))
count, fault = 0, None

try:
    for it in file.records():
        count += isinstance(it.item(), object)
except NaxmlError as exc:
    fault = exc.fault

with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
print(count, peak, fault)
"""


@pytest.mark.long
def test_memory_is_flat(tmp_path):
    """
    A large file peaks at 64 MB at most; so does one that is cut off at its end.
    """
    one = good(MORE).encode()
    head, tail = document(good(MORE)).split(one)
    count, path = SIZE // len(one), tmp_path / "ITT.xml"

    with path.open("wb") as file:
        file.write(head)
        for _ in range(count):
            file.write(one)
        file.write(tail)

    assert read(path, count) == "None"
    os.truncate(path, path.stat().st_size - len(tail))
    # Nothing says that the last record is complete.
    assert read(path, count - 1) == "truncated"


def read(path, count):
    """
    Read it in a process of its own; returns the fault that ended it.
    """
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, peak, fault = done.stdout.split()

    assert int(found) == count
    assert int(peak) <= 64

    return fault
