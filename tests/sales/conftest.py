"""
What pushes are tested with.
"""

from tills import new_till, till, zoned


__all__ = ["new_till", "till", "zoned"]
