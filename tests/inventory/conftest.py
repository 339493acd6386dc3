"""
What pulls are tested with.
"""

from databases import database, pytest_generate_tests

from sites import new_site, site


__all__ = ["database", "new_site", "pytest_generate_tests", "site"]
