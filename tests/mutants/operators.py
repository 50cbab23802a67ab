"""The changes that are made to a module, one at a time."""

import ast
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
from parso.python.tree import Keyword

# Of the ways to replace an operator by each of ten others, those that are nearest to a slip.
_OPERATORS = (
    *("NumberReplacer", "AddNot", "ReplaceUnaryOperator_Delete_Not", "ExceptionReplacer"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
    *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
    *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_Lt_GtE"),
    *("ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_LtE_Gt"),
    *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_Gt_LtE"),
    *("ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_GtE_Lt"),
    *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add"),
    *("ReplaceBinaryOperator_Mul_Add", "ReplaceBinaryOperator_Div_Mul"),
    *("ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_Mul"),
    *("ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_BitAnd_BitOr"),
    *("ReplaceBinaryOperator_LShift_RShift", "ReplaceBinaryOperator_RShift_LShift"),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceBinaryOperator_Pow_Mul"),
)
# Values that callers can't tell from None, or seldom.
_EMPTY = ("None", "False")
# Arguments about memory and speed; mypy holds the code to what is frozen.
_NO_BEHAVIOUR = ("frozen", "gc", "maxsize")


class _ReturnNone(Operator):  # type: ignore[misc]
    """Returns None instead of a value."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "return_stmt" and node.children[1].get_code().strip() not in _EMPTY:
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1] = Keyword("None", node.start_pos, prefix=" ")
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class Mutant(NamedTuple):
    """A module with one change in it."""

    path: Path
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> tuple[str, str, str]:
        """Its module and its lines before and after, which hold when it moves."""
        return str(self.path), self.before, self.after


def mutants(path: Path, every: int) -> tuple[list[Mutant], int]:
    """Return about one in so many of the mutants of a module, and how many there are.

    Which ones depends on the text of their lines, so that a change elsewhere changes no choice.
    """
    source = path.read_text("utf-8")
    lines, plain = source.splitlines(), _without_types(source)
    nodes = list(ast_nodes(get_ast(source)))
    seen: Counter[str] = Counter()
    found, count = [], 0
    for name in (*_OPERATORS, ""):
        operator = get_operator(f"core/{name}")() if name else _ReturnNone()
        for at, node in enumerate(nodes):
            for index, ((line, column), _) in enumerate(operator.mutation_positions(node)):
                label = f"{path}:{name}:{lines[line - 1]}:{column}:{index}"
                seen[label] += 1
                count += 1
                if zlib.crc32(f"{label}:{seen[label]}".encode()) % every:
                    continue
                tree = get_ast(source)
                changed = _changed(tree, operator, at, index)
                if _without_types(changed) not in (plain, ""):
                    found.append(_mutant(path, lines, changed))
    return found, count


def _changed(tree: Any, operator: Any, at: int, index: int) -> str:
    """Return a module with a node changed; nothing if the operator can't."""
    node = next(islice(ast_nodes(tree), at, None))
    siblings = node.parent.children if node.parent else None
    place = siblings.index(node) if siblings else 0
    try:
        new = operator.mutate(node, index)
    except AttributeError:
        # The operator expects the names of exceptions to have no dot.
        return ""
    if siblings:
        siblings[place : place + 1] = [] if new is None else [new]
    return str(tree.get_code())


def _mutant(path: Path, lines: list[str], changed: str) -> Mutant:
    """Return a mutant with the first line that differs; a break within a line may be lost."""
    new = changed.splitlines()
    line = next(n for n, pair in enumerate(zip(lines, new, strict=False)) if pair[0] != pair[1])
    return Mutant(path, line + 1, lines[line].strip(), new[line].strip(), changed)


def _without_types(source: str) -> str:
    """Return what a module does, apart from its types; nothing if it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        # The operators for `*` also find the one between parameters.
        return ""
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Constant(None))
        if isinstance(node, ast.keyword) and node.arg in _NO_BEHAVIOUR:
            node.value = ast.Constant(None)
    return ast.dump(tree)
