"""
Faults that are proven by a test of their own, wherever it is.

Such a test carries `@pytest.mark.fault(id, what goes wrong, what then holds)`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs


TESTS = Path(__file__).parents[2]


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


def proofs() -> list[Proof]:
    """
    All marked tests of the project, in the order of the matrix.

    They are read and not imported, so that it doesn't matter which tests were
    asked for.
    """
    found = [proof for path in sorted(TESTS.rglob("test_*.py")) for proof in _marked(path)]

    return sorted(found, key=lambda proof: ("NHPSCK".index(proof.id[0]), proof.id))


def _marked(path: Path) -> Iterator[Proof]:
    for test in ast.parse(path.read_text()).body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            for marker in map(_texts, test.decorator_list):
                if marker is not None:
                    identity, what, then = marker
                    file = str(path.relative_to(TESTS.parent))
                    yield Proof(id=identity, what=what, then=then, file=file, test=test.name)


def _texts(decorator: ast.expr) -> list[str] | None:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
        return [ast.literal_eval(text) for text in decorator.args]

    return None
