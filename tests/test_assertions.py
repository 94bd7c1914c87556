"""No assertion of a test holds because there was nothing to check.

`assert all(...)`, `assert not [... if ...]` and a loop of assertions hold for an empty collection.
What they go through must be seen to be filled: it is a literal, a constant or a range, it is in
another assertion of the same test, or it goes through `tests.each.each`. Where it may be empty, the
line says so: `# may be empty`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MARK = "# may be empty"
SAME_LENGTH = {"enumerate", "list", "reversed", "set", "sorted", "tuple"}
OF_PARTS = {"zip", "product", "itertools.product"}


def parts(node: ast.expr) -> list[ast.expr]:
    """What must be filled, one of it at least, for an iterable to be filled."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"items", "keys", "values"}:
            return [] if node.args else parts(node.func.value)
        if name in SAME_LENGTH and node.args:
            return parts(node.args[0])
        if name in OF_PARTS:
            return [part for argument in node.args for part in parts(argument)]
    return [node]


def is_filled(node: ast.expr) -> bool:
    """Whether an expression has an element, whatever the test does."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(item, ast.Starred) or is_filled(item.value) for item in node.elts)
    if isinstance(node, ast.Dict):
        return bool(node.keys)
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        # A constant, or the members of an enumeration.
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name.lstrip("_")[:1].isupper()
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in {"each", "range"}
    return isinstance(node, ast.BinOp) and (is_filled(node.left) or is_filled(node.right))


def iterables_of(assertion: ast.Assert) -> Iterator[ast.expr]:
    """Iterables that an assertion holds for if they are empty."""
    test = assertion.test
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "all":
            yield from gone_through(node.args[0])
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = test.operand
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "any":
            inner = inner.args[0]
        if not isinstance(inner, ast.Call | ast.Name | ast.Attribute):
            yield from gone_through(inner)
    if isinstance(test, ast.Compare) and ast.unparse(test.comparators[0]) in {"[]", "{}", "set()"}:
        left = test.left
        if isinstance(left, ast.ListComp | ast.SetComp | ast.DictComp) and left.generators[0].ifs:
            yield left.generators[0].iter


def gone_through(node: ast.expr) -> Iterator[ast.expr]:
    """The iterable of a comprehension, or an iterable itself."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield node.generators[0].iter
    elif isinstance(node, ast.Name | ast.Attribute | ast.Call):
        yield node


def loops_of(test: ast.FunctionDef) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """What a test goes through, with the statement that does so."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            yield from ((node, iterable) for iterable in iterables_of(node))
        if isinstance(node, ast.For) and any(
            isinstance(part, ast.Assert) for part in ast.walk(node)
        ):
            yield node, node.iter


def known_to_be_filled(test: ast.FunctionDef, without: ast.stmt) -> set[str]:
    """Expressions that a test shows to be filled elsewhere than in one of its statements."""
    own = {id(node) for node in ast.walk(without)}
    found: set[str] = set()
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and id(node) not in own:
            found |= {ast.unparse(part) for part in ast.walk(node.test) if is_plain(part)}
        if isinstance(node, ast.Assign):
            [target, *_] = node.targets
            if isinstance(target, ast.Tuple | ast.List):
                found.add(ast.unparse(node.value))
            elif any(is_filled(part) for part in parts(node.value)):
                found.add(ast.unparse(target))
    return found


def is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call)


def unshown(source: str) -> list[int]:
    """Lines of tests that go through what may be empty, and do not say so."""
    lines = source.splitlines()
    return [
        iterable.lineno
        for test in ast.walk(ast.parse(source))
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
        for statement, iterable in loops_of(test)
        if not any(is_filled(part) for part in parts(iterable))
        and not {ast.unparse(part) for part in parts(iterable)}
        & known_to_be_filled(test, without=statement)
        and MARK not in lines[iterable.lineno - 1]
    ]


@pytest.mark.parametrize(
    "body",
    [
        "assert all(item > 1 for item in found)",
        "assert not [item for item in found if item > 1]",
        "assert not any(item > 1 for item in found)",
        "assert [item for item in found if item > 1] == []",
        "for item in sorted(found): assert item",
        "for name, item in found.items(): assert item",
        "for one, other in zip(found, others()): assert one == other",
    ],
)
def test_what_an_empty_answer_satisfies_is_found(body: str) -> None:
    assert unshown(f"def test_a():\n    {body}\n") == [2]
    assert unshown(f"def test_a():\n    assert found\n    {body}\n") == []
    assert unshown(f"def test_a():\n    {body}  {MARK}\n") == []


@pytest.mark.parametrize(
    "iterable", ["each(found)", "range(3)", "(1, 2)", "NAMES", "Colour", "enumerate('ab')"]
)
def test_what_is_seen_to_be_filled_may_be_iterated(iterable: str) -> None:
    assert unshown(f"def test_a():\n    for item in {iterable}: assert item\n") == []


def test_every_assertion_checks_something() -> None:
    found = {path: unshown(path.read_text("utf-8")) for path in TESTS.rglob("test_*.py")}
    assert len(found) > 150
    assert {str(path): lines for path, lines in found.items() if lines} == {}
