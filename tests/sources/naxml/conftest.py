import pytest

from maintenance_files import Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
