"""
What is published: the wheel and the source distribution.
"""

import hashlib
import tarfile
import zipfile
from importlib.metadata import distribution, metadata
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from packaging.requirements import Requirement

from wheels import ROOT, build, closure


CORE = 14


def source_distribution(folder):
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(folder))
    return Path(path)


@pytest.mark.parametrize("make", [build, source_distribution], ids=["wheel", "sdist"])
def test_two_builds_are_one(make, tmp_path):
    """
    Everyone who builds this source gets the same bytes.
    """
    once, again = (make(tmp_path / name) for name in ("once", "again"))

    assert once.name == again.name
    assert hashlib.sha256(once.read_bytes()).digest() == hashlib.sha256(again.read_bytes()).digest()


def test_wheel_has_what_is_imported(tmp_path):
    """
    Each file of the two packages is in it, and beside them only the metadata.
    """
    with zipfile.ZipFile(build(tmp_path)) as wheel:
        names = set(wheel.namelist())

    source = ROOT / "src"
    files = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == files
    assert {"conexxus_client/py.typed", "conexxus_sync/py.typed"} <= files
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_source_distribution_has_its_tests(tmp_path):
    with tarfile.open(source_distribution(tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py"}
    assert wanted <= names
    assert not [name for name in names if name.startswith((".venv", "site/", ".git/"))]


def test_core_is_small():
    """
    A client and an engine without extras bring few packages.
    """
    ours = distribution("conexxus-sdk")
    brought = {it.name for it in closure(ours, [Requirement(ours.name)])} - {ours.name}

    assert len(brought) <= CORE, brought


def test_versions_of_python():
    """
    The classifiers are the versions that the tests run on.
    """
    said = metadata("conexxus-sdk").get_all("Classifier")
    versions = [it.rpartition(" ")[2] for it in said if "Python :: 3." in it]

    assert versions == ["3.11", "3.12", "3.13"]
