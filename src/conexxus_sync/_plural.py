"""
Numbers with their nouns.
"""


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """
    `1 sale`, `1,204 sales`.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"
