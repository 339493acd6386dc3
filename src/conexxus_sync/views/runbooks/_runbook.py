"""
The shape of a runbook.
"""

import attrs


@attrs.frozen
class Step:
    """
    One thing to do.

    Attributes:
        text: In words; `backticks` mark what is typed or printed.
        command: To copy, if there is one.  Words in capitals are to be
            replaced.
    """

    text: str
    command: str = ""


@attrs.frozen(kw_only=True)
class Runbook:
    """
    What an alert means, and what to do about it.

    Attributes:
        title: The alert in a few words.
        meaning: What is wrong, and what it does to the shop.
        causes: What it usually is, most likely first.
        steps: What to do, in order.
        clears: When the alert ends.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    steps: tuple[Step, ...]
    clears: str
