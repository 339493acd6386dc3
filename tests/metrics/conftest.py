"""
What metrics are tested with.
"""

from databases import database, pytest_generate_tests

from shops import busy, new_shop, promtool, shop


__all__ = ["busy", "database", "new_shop", "promtool", "pytest_generate_tests", "shop"]
