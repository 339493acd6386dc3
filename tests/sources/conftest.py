"""
What sources of sales are tested with.
"""

from tills import new_till, till


__all__ = ["new_till", "till"]
