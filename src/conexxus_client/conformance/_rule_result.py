"""
What a rule of the wire contract came to.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import attrs

from conexxus_client.errors import ConexxusError


class RuleOutcome(StrEnum):
    """
    How a rule came out.
    """

    KEPT = "kept"
    BROKEN = "broken"
    NOT_OFFERED = "not offered"


@attrs.frozen(kw_only=True)
class RuleResult:
    """
    One rule, and what was seen.

    Attributes:
        rule: Its name: `unique SKUs`.
        outcome: Whether it is kept; what the contract leaves open may not be
            offered.
        message: What was seen, in one sentence.
    """

    rule: str
    outcome: RuleOutcome
    message: str


class BrokenRuleError(Exception):
    """
    A rule is broken; the text says by what.
    """


class NotOfferedError(Exception):
    """
    The back office does not do what the rule is about, and need not.
    """


Rule = Callable[[], str]


def examined(rules: Iterable[tuple[str, Rule]]) -> Iterator[RuleResult]:
    """
    The result of each of *rules*, which returns what was seen.
    """
    for name, rule in rules:
        try:
            outcome, message = RuleOutcome.KEPT, rule()
        except NotOfferedError as exc:
            outcome, message = RuleOutcome.NOT_OFFERED, str(exc)
        except (BrokenRuleError, ConexxusError) as exc:
            outcome, message = RuleOutcome.BROKEN, str(exc)

        yield RuleResult(rule=name, outcome=outcome, message=message)
