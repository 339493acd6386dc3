"""
What pulls are tested with.
"""

from sites import new_site, site


__all__ = ["new_site", "site"]
