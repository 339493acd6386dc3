"""
Mutants, as mutmut makes them, each put into the running process.

mutmut writes a module with every function in all its variants.  Here only one is
needed at a time: it is compiled from there, and takes the place of the code of
the function, which otherwise runs as it is.  Mutants have names, which are
numbered, and a change, which stays the same when the function has others.
"""

import ast
import difflib
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

import attrs
from mutmut.mutation.file_mutation import mutate_file_contents


SEPARATOR = "__mutmut_"
CLASS = "ǁ"


@attrs.frozen(kw_only=True, eq=False)
class Mutant:
    """
    One mutant.

    Attributes:
        name: As mutmut calls it.
        module: Its module.
        place: Its function, or class and method.
        change: The function, what is no longer there, and what is instead.
        code: What is run instead.
        defaults: The source of the default arguments.
        path: The file of its module.
        lines: Those of the statements that it changes, of which one is executed
            before anything else differs.
    """

    name: str
    module: str
    place: str
    change: str
    code: CodeType
    defaults: ast.arguments
    path: Path
    lines: frozenset[int]

    @property
    def function(self) -> str:
        return f"{self.module}.{self.place}"

    def put_in_place(self) -> None:
        """
        Run it from now on, wherever the function is called.
        """
        module = import_module(self.module)
        function = _function(module, self.place)
        given = self.defaults
        known = {**vars(module)}
        function.__code__ = self.code.replace(
            co_name=function.__name__, co_qualname=function.__qualname__
        )
        function.__defaults__ = tuple(_value(each, known) for each in given.defaults) or None
        function.__kwdefaults__ = {
            argument.arg: _value(default, known)
            for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
            if default is not None
        } or None


def mutants_of(source: Path, path: Path) -> Iterator[Mutant]:
    """
    All mutants of the module in *path*, which is below *source*.
    """
    module = ".".join(path.relative_to(source).with_suffix("").parts)
    text = path.read_text()
    file = mutate_file_contents(str(path.relative_to(source)), text)
    lines = file.code.splitlines()
    # Not imported: pytest wants to be first.
    real = {code.co_qualname: code for code in _codes(compile(text, str(path), "exec"))}
    codes = {code.co_name: code for code in _codes(compile(file.code, str(path), "exec"))}
    trees = {
        node.name: node
        for node in ast.walk(ast.parse(file.code))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    for name in file.mutant_names:
        function = name.rpartition(SEPARATOR)[0]
        original = f"{function}{SEPARATOR}orig"
        before, after = (
            [line.strip().replace(each, "") for line in lines[span.start - 1 : span.end]]
            for each in (original, name)
            for span in (file.line_span_by_function_name[each],)
        )
        gone, there = [], []
        for line in difflib.ndiff(before, after):
            if line.startswith("- "):
                gone.append(line[2:])
            elif line.startswith("+ "):
                there.append(line[2:])
        place = function.removeprefix(f"x{CLASS}").removeprefix("x_").replace(CLASS, ".")
        shift = real[place].co_firstlineno - codes[original].co_firstlineno
        changed = _changed_lines(before, after, file.line_span_by_function_name[original].start)

        yield Mutant(
            name=name,
            module=module,
            place=place,
            change=f"{module}.{place}: {' '.join(gone)} → {' '.join(there)}",
            code=codes[name],
            defaults=trees[name].args,
            path=path,
            lines=frozenset(line + shift for line in _statements(trees[original], changed)),
        )


def _function(module: object, place: str) -> FunctionType:
    *owner, name = place.split(".")
    found = vars(getattr(module, *owner) if owner else module)[name]
    found = getattr(found, "__func__", found)
    assert isinstance(found, FunctionType), place

    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _value(expression: ast.expr, known: dict[str, object]) -> object:
    return eval(compile(ast.Expression(expression), "<default>", "eval"), known)


def _changed_lines(before: list[str], after: list[str], first: int) -> Iterable[int]:
    """
    Those of *before* that are not in *after*, of which the first has number *first*.
    """
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, start, end, _, _ in matcher.get_opcodes():
        if kind != "equal":
            # What is inserted is before the next line.
            yield from range(first + start, first + max(end, start + 1))


def _statements(function: ast.AST, changed: Iterable[int]) -> Iterator[int]:
    """
    The lines of the innermost statements that have one of *changed*; of a
    compound statement, those of its head.
    """
    spans = sorted(
        (
            (node.lineno, _head_end(node))
            for node in ast.walk(function)
            if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)
            and hasattr(node, "lineno")
        ),
        key=lambda span: span[1] - span[0],
    )
    for line in changed:
        for start, end in spans:
            if start <= line <= end:
                yield from range(start, end + 1)
                break


def _head_end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    # The head of a function, where its defaults are, is executed when it is made.
    if not isinstance(body, list) or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.end_lineno

    return max(node.lineno, body[0].lineno - 1)
