"""
What pushes are tested with.
"""

from tills import many_tills, new_till, till, zoned


__all__ = ["many_tills", "new_till", "till", "zoned"]
