"""
Whether a back office keeps the wire contract: one rule after the other, in
sentences for the people who run it.

`check_reading` only reads.  `check_writing` sends sales of 0.00 whose ids begin
with `CONFORMANCE-`, to a location that is made for it.  `openapi_document` is
the contract itself.
"""

from ._reading_rules import check_reading
from ._rule_result import RuleOutcome, RuleResult
from ._wire_contract import openapi_document
from ._writing_rules import check_writing


__all__ = ["RuleOutcome", "RuleResult", "check_reading", "check_writing", "openapi_document"]
