"""
Rows of a table that are proven by a test of their own, wherever it is.

Such a test carries `@pytest.mark.fault(id, what goes wrong, what then holds)`
for the fault matrix, or `@pytest.mark.case(…)` for a field case.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs


TESTS = Path(__file__).parents[1]


@attrs.frozen(kw_only=True)
class Proof:
    """
    One marked test.
    """

    id: str
    what: str
    then: str
    file: str
    test: str


@cache
def proofs(marker: str) -> list[Proof]:
    """
    All tests of the project with that marker, by file.

    They are read and not imported, so that it doesn't matter which tests were
    asked for.
    """
    texts = {path: path.read_text() for path in sorted(TESTS.rglob("test_*.py"))}
    marked = {path: text for path, text in texts.items() if f"pytest.mark.{marker}(" in text}

    return [proof for path, text in marked.items() for proof in _marked(path, text, marker)]


def _marked(path: Path, text: str, name: str) -> Iterator[Proof]:
    module = ast.parse(text)
    # A marker of several tests has a name in their module.
    named = {
        ast.unparse(each.targets[0]): each.value
        for each in module.body
        if isinstance(each, ast.Assign)
    }

    for test in module.body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            decorators = (named.get(ast.unparse(each), each) for each in test.decorator_list)
            for marker in (_texts(each, name) for each in decorators):
                if marker is not None:
                    identity, what, then = marker
                    file = str(path.relative_to(TESTS.parent))
                    yield Proof(id=identity, what=what, then=then, file=file, test=test.name)


def _texts(decorator: ast.expr, name: str) -> list[str] | None:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{name}":
        return [ast.literal_eval(text) for text in decorator.args]

    return None
