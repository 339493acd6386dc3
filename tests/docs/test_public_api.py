"""
The public names, with their signatures, are the ones of a list in the project:
a change of one is seen in the review.
"""

import os
from itertools import chain
from pathlib import Path

import griffe
import pytest


ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("public_api.txt")
PACKAGES = {
    "conexxus_client": ("", ".conformance", ".instrumentation", ".settings", ".testing"),
    "conexxus_sync": (
        *("", ".collectors", ".engines", ".fleet", ".http", ".notifications", ".sources"),
        *(".sources.naxml", ".testing"),
        *(".contrib.django", ".contrib.fastapi", ".contrib.flask", ".contrib.sql"),
    ),
}


@pytest.fixture(scope="module")
def modules():
    """
    The public modules, read and not imported.
    """
    loader = griffe.GriffeLoader(search_paths=[ROOT / "src"])
    for package in PACKAGES:
        loader.load(package)
    loader.resolve_aliases(implicit=False, external=False)

    names = [package + rest for package, parts in PACKAGES.items() for rest in parts]
    return [loader.modules_collection[name] for name in names]


def lines_of(module):
    """
    What a module promises: a line for each name, and for each member of a class.
    """
    public = module.exports or [name for name in module.members if is_own(module, name)]
    for name in sorted(public):
        if "." not in str(name) and str(name) in module.members:
            yield from described(f"{module.path}.{name}", target_of(module[str(name)]))


def is_own(module, name):
    return not name.startswith("_") and not module.members[name].is_alias


def target_of(found):
    """
    What a name stands for; what another package has stays a name.
    """
    try:
        return found.final_target if found.is_alias else found
    except griffe.AliasResolutionError:
        return found


def described(path, found):
    if found.is_alias:
        yield f"{path} = {found.target_path}"
    elif found.is_function:
        parameters = (it for it in found.parameters if it.name not in ("self", "cls"))
        yield f"{path}({', '.join(map(parameter_text, parameters))}) -> {found.returns}"
    elif found.is_class:
        bases = ", ".join(map(str, found.bases))
        yield f"class {path}({bases})"
        for name, member in sorted(found.members.items()):
            if name == "__init__" or not name.startswith("_"):
                yield from described(f"{path}.{name}", target_of(member))
    else:
        default = "" if getattr(found, "value", None) is None else " = …"
        yield f"{path}: {getattr(found, 'annotation', None)}{default}"


def parameter_text(parameter):
    star = {"variadic positional": "*", "variadic keyword": "**"}.get(parameter.kind.value, "")
    required = parameter.default is None or star
    default = "" if required else f" = {parameter.default}"
    keyword = "kw " if parameter.kind.value == "keyword-only" else ""

    return f"{keyword}{star}{parameter.name}: {parameter.annotation}{default}"


def test_public_names_are_the_list(modules):
    """
    A name that goes, or whose signature changes, is a line that goes: such a
    change has an entry below "Breaking" in the changelog.

    With CONEXXUS_WRITE_DOCS=1 the list is written anew.
    """
    text = "\n".join(chain.from_iterable(map(lines_of, modules))) + "\n"

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        LIST.write_text(text, "utf-8")

    assert LIST.read_text("utf-8").splitlines() == text.splitlines()
