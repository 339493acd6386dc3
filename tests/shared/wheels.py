"""
The wheel of this project, and environments that hold it and what it requires.

Without a network: an environment links what is installed here, which the locks
name, and nothing that was not asked for.
"""

import venv
import zipfile
from importlib.metadata import distribution, distributions
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


ROOT = Path(__file__).parents[2]
SCRIPT = """#!{python}
import sys
from {module} import {attr}
sys.exit({attr}())
"""


def build(folder):
    """
    The wheel, built in *folder*.
    """
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(path)


def environment(folder, wheel, *requirements):
    """
    Make an environment that has *wheel*, and the *requirements* with all that
    they require in turn.

    Returns:
        Its folder of programs.
    """
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (ours,) = distributions(path=[str(site)])

    for found in closure(ours, map(Requirement, requirements)):
        if found is not ours:
            _link(found, site)
        for script in found.entry_points.select(group="console_scripts"):
            program = folder / "bin" / script.name
            text = SCRIPT.format(
                python=folder / "bin/python", module=script.module, attr=script.attr
            )
            program.write_text(text)
            program.chmod(0o755)

    return folder / "bin"


def closure(ours, requirements):
    """
    The distributions that *requirements* need, each once.
    """
    found = {canonicalize_name(ours.name): ours}
    todo, seen = [*_wanted(requirements)], set()

    while todo:
        name, extra = wanted = todo.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        if name not in found:
            found[name] = distribution(name)
        needed = map(Requirement, found[name].requires or ())
        todo += _wanted(
            it for it in needed if it.marker is None or it.marker.evaluate({"extra": extra})
        )

    return found.values()


def _wanted(requirements):
    """
    The names of *requirements*, without an extra and with each of theirs.
    """
    for it in requirements:
        for extra in ("", *it.extras):
            yield canonicalize_name(it.name), extra


def _link(found, site):
    """
    Links to what *found* has in its own environment.
    """
    for name in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
        (site / name).symlink_to(found.locate_file(name))
