"""Values of any type that a port's method may take, made up from the annotation alone."""

import types
import typing
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from inspect import BoundArguments, Parameter, isclass, signature
from typing import Any, Final

import numpy as np
from pydantic import BaseModel

from shared.kernel.ids import TenantId
from shared.retrieval.ports import Vector

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
DIMENSIONS: Final = 384

_PLAIN: Final[dict[Any, Any]] = {
    str: "x", int: 1, float: 1.0, bool: False, bytes: b"x", datetime: NOW, timedelta: timedelta(minutes=1), Any: "x",
    object: "x",
}  # fmt: skip
_MANY: Final = (Sequence, Collection, Iterable, list, frozenset, set)
_ID_DIGITS: Final = "0" * 26


class CannotMakeUpError(Exception):
    """A type that nobody taught this module: do so, or the method that takes it goes unasked."""


class MadeUp:
    """Values that are about one tenant; `named` are values for parameters and fields of certain names."""

    def __init__(self, tenant: TenantId, named: Mapping[str, Any]) -> None:
        self._tenant = tenant
        self._named = named

    def arguments(self, method: Callable[..., Any]) -> BoundArguments:
        """Return what a bound method must be given; of what it takes any number, one."""
        hints = typing.get_type_hints(method)
        bound = BoundArguments(signature(method), OrderedDict())
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is Parameter.VAR_POSITIONAL:
                bound.arguments[name] = (self.value(hints[name], name),)
            elif parameter.default is Parameter.empty:
                bound.arguments[name] = self.value(hints[name], name)
        return bound

    def value(self, kind: Any, name: str = "") -> Any:
        """Return a value of a type. Raises: CannotMakeUpError."""
        if kind is TenantId:
            return self._tenant
        if name in self._named:
            return self._one_or_many(kind, self._named[name])
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind == Vector:
            return np.full(DIMENSIONS, DIMENSIONS**-0.5, dtype=np.float32)
        if isinstance(kind, typing.NewType):
            return self._of_new_type(kind)
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated:
            return self.value(parts[0], name)
        if origin in (typing.Union, types.UnionType):
            return self.value(next(one for one in parts if one is not type(None)), name)
        if origin is typing.Literal:
            return parts[0]
        if origin is not None:
            return self._of_container(origin, parts, name)
        return self._of_class(kind)

    @staticmethod
    def _one_or_many(kind: Any, value: Any) -> Any:
        return [value] if typing.get_origin(kind) in _MANY else value

    def _of_new_type(self, kind: Any) -> Any:
        base = kind.__supertype__
        pattern = next((getattr(one, "pattern", None) for one in getattr(base, "__metadata__", ())), None)
        if pattern and "_[0-9a-z]" in pattern:
            return pattern.removeprefix("^").partition("[")[0] + _ID_DIGITS
        return self.value(base)

    def _of_container(self, origin: Any, parts: tuple[Any, ...], name: str) -> Any:
        if origin is Callable:
            return _nothing
        if origin in (Mapping, dict):
            return {self.value(parts[0]): self.value(parts[1])}
        if origin is tuple:
            return tuple(self.value(one) for one in parts if one is not Ellipsis)
        if origin in _MANY:
            made = self.value(parts[0], name)
            return frozenset({made}) if origin in (frozenset, set) else [made]
        raise CannotMakeUpError(f"{origin} of {parts}")

    def _of_class(self, kind: Any) -> Any:
        if not isclass(kind):
            raise CannotMakeUpError(repr(kind))
        if issubclass(kind, Enum):
            return next(iter(kind))
        hints = typing.get_type_hints(kind)
        if is_dataclass(kind):
            needed = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
            return kind(**{name: self.value(hints[name], name) for name in needed})
        if issubclass(kind, BaseModel):
            required = [name for name, field in kind.model_fields.items() if field.is_required()]
            return kind(**{name: self.value(hints[name], name) for name in required})
        raise CannotMakeUpError(repr(kind))


async def _nothing(*_: object) -> None:
    """Do nothing, as whatever a caller would hand in to be called."""
