"""Conditions and exclusions as a subquery of chunk numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kernel.ids import DocumentId, Generation
from shared.retrieval.fields import Condition
from shared.retrieval.metadata_terms import AnyTerm, NoTerm, TermRange, requirement_of

Binding = str | int | float | bytes


@dataclass(frozen=True, slots=True)
class Subquery:
    """SQL that selects chunk numbers, and what its question marks stand for."""

    sql: str
    bindings: tuple[Binding, ...]


def allowed_chunks(
    scope: int, conditions: Sequence[Condition], without: Sequence[tuple[DocumentId, Generation]]
) -> Subquery | None:
    """Return a subquery of the chunks that may be found; None when all of the scope may."""
    if not conditions and not without:
        return None
    sql = "SELECT id FROM chunks WHERE scope = ?"
    bindings: list[Binding] = [scope]
    for condition in conditions:
        requirement = _of_requirement(scope, requirement_of(condition))
        sql += f" AND {requirement.sql}"
        bindings += requirement.bindings
    if without:
        sql += f" AND (document_id, generation) NOT IN (VALUES {', '.join(['(?, ?)'] * len(without))})"
        bindings += [part for pair in without for part in pair]
    return Subquery(sql, tuple(bindings))


def _of_requirement(scope: int, requirement: AnyTerm | TermRange | NoTerm) -> Subquery:
    having = "(SELECT chunk FROM metadata_terms WHERE scope = ? AND term "
    match requirement:
        case AnyTerm(terms):
            return Subquery(f"id IN {having} IN ({', '.join('?' * len(terms))}))", (scope, *terms))
        case TermRange(first, last):
            return Subquery(f"id IN {having} BETWEEN ? AND ?)", (scope, first, last))
        case NoTerm(term):
            return Subquery(f"id NOT IN {having} = ?)", (scope, term))
