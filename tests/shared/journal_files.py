"""
Files of POSJournal.
"""

ITEM = (
    "<ItemLine><ItemCode><POSCodeFormat format='upcA'/><POSCode>036000291452</POSCode>"
    "<POSCodeModifier>0</POSCodeModifier></ItemCode><Description>Cola</Description>"
    "<ActualSalesPrice>1.79</ActualSalesPrice><MerchandiseCode>07</MerchandiseCode>"
    "<SalesQuantity uom='each'>2</SalesQuantity><SalesAmount>3.58</SalesAmount></ItemLine>"
)
TAX = (
    "<TransactionTax><TaxLevelID>{}</TaxLevelID><TaxableSalesAmount>{}</TaxableSalesAmount>"
    "<TaxCollectedAmount>{}</TaxCollectedAmount></TransactionTax>"
)
CASH = (
    "<TenderInfo><Tender><TenderCode>cash</TenderCode><TenderSubCode>generic</TenderSubCode>"
    "</Tender><TenderAmount>{}</TenderAmount><ChangeFlag value='{}'/></TenderInfo>"
)
LINES = (ITEM, TAX.format("1", "3.58", "0.20"), TAX.format("1", "3.58", "0.09"),
         CASH.format("20.00", "no"), CASH.format("-16.13", "yes"))  # fmt: skip


def event(*lines, name="SaleEvent", number="1234", day="2025-12-08", total="3.87", more="",
          end="<EventEndDate>2025-12-09</EventEndDate><EventEndTime>00:30:00</EventEndTime>",
          direction="Collected", status="normal"):  # fmt: skip
    """
    One event; without *lines*, with those of one item.
    """
    lines = "".join(
        f'<TransactionLine status="{status}">{it}</TransactionLine>' for it in lines or LINES
    )
    day = f"<BusinessDate>{day}</BusinessDate>" if day else ""

    return (
        f"<{name}><EventSequenceID>5</EventSequenceID><CashierID>77</CashierID>"
        f"<RegisterID>1</RegisterID><TransactionID>{number}</TransactionID>{end}{day}{more}"
        f"<TransactionDetailGroup>{lines}</TransactionDetailGroup><TransactionSummary>"
        f'<TransactionTotalGrandAmount direction="{direction}">{total}'
        f"</TransactionTotalGrandAmount></TransactionSummary></{name}>"
    )


def journal(*events, store="7", head='version="3.4"', begin="2025-12-08", after=""):
    """
    A file of these events.
    """
    header = f"<StoreLocationID>{store}</StoreLocationID>" if store else ""
    begin = f"<JournalHeader><BeginDate>{begin}</BeginDate></JournalHeader>" if begin else ""

    return (
        f'<?xml version="1.0"?><NAXML-POSJournal {head}><TransmissionHeader>{header}'
        f"</TransmissionHeader><JournalReport>{begin}{''.join(events)}</JournalReport>{after}"
        "</NAXML-POSJournal>"
    ).encode()
