"""
What pushes are tested with.
"""

from databases import database, pytest_generate_tests

from tills import many_tills, new_till, till, zoned


__all__ = ["database", "many_tills", "new_till", "pytest_generate_tests", "till", "zoned"]
