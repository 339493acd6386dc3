"""
Catalogues cut into small windows, so that a few items have several.
"""

from contextlib import contextmanager

import pytest

from conexxus_client._codec import CatalogReader
from conexxus_sync.stores._catalogue_windows import CatalogueWindows


@contextmanager
def small_windows(size=400):
    """
    Windows of at least so many bytes, in all reads of the block.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CatalogReader.__init__.__kwdefaults__, "window", size)
        yield


@contextmanager
def no_known_windows():
    """
    All windows are read anew, in all pulls of the block.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CatalogueWindows, "known", lambda self: {})
        yield
