"""What a study file has where something else is expected, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

_Words = Callable[[Mapping[str, Any]], str]
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}
_KINDS = {
    "a number": {"float_type", "float_parsing", "finite_number"},
    "a whole number": {"int_type", "int_parsing", "int_from_float", "int_parsing_size"},
    "true or false": {"bool_type", "bool_parsing"},
    "a date such as 2026-01-31": {"date_type", "date_parsing", "date_from_datetime_parsing"},
}


def words_of(item: Mapping[str, Any]) -> str | None:
    """What pydantic reports as an error, for the author of a study file.

    Args:
        item: One of the errors of a `ValidationError`.

    Returns:
        The reason; None where pydantic's message is one of the project's own.

    Examples:
        >>> words_of({"type": "less_than", "ctx": {"lt": 1.0}, "input": 2})
        'expected a number below 1, found 2'
    """
    kind, context = item["type"], item.get("ctx") or {}
    if kind in _BOUNDS:
        key, word = _BOUNDS[kind]
        return f"expected a number {word} {_number(context[key])}, found {describe(item['input'])}"
    for expected, types in _KINDS.items():
        if kind in types:
            return f"expected {expected}, found {describe(item['input'])}"
    words = _OTHERS.get(kind)
    return words(item) if words else None


def _number(value: float) -> str:
    """A limit as it is: `:g` alone would round whole numbers to six digits."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def describe(value: object) -> str:
    """A value of a study file as it is found where another kind is expected.

    Examples:
        >>> describe([1]), describe({"day": 1}), describe(""), describe(False)
        ('a list', 'a mapping with the keys day', 'an empty text', 'false')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return f"a mapping with the keys {', '.join(map(str, value))}" if value else "no key"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    return "an empty text" if value == "" else str(value)


def _of_length(item: Mapping[str, Any]) -> str:
    context = item["ctx"]
    is_short = item["type"] == "too_short"
    number = context["min_length" if is_short else "max_length"]
    what = "key" if isinstance(item["input"], Mapping) else "value"
    found = context.get("actual_length")
    return (
        f"expected at {'least' if is_short else 'most'} {number} {what}{'' if number == 1 else 's'}"
        f", found {found or 'none'}"
    )


def _of_text_length(item: Mapping[str, Any]) -> str:
    context = item["ctx"]
    if item["type"] == "string_too_short":
        return f"expected at least {context['min_length']} characters, found {len(item['input'])}"
    return f"expected at most {context['max_length']} characters, found {len(item['input'])}"


def _of_text(item: Mapping[str, Any]) -> str:
    """What stands where a text is expected, and how it becomes one."""
    value = item["input"]
    if isinstance(value, bool):
        hint = ", as YAML reads yes, no, on, off, true and false: put the word in quotes"
    elif isinstance(value, int | float | date):
        hint = ", which is no text in YAML: put it in quotes"
    else:
        hint = ""
    return f"expected text, found {describe(value)}{hint}"


def _of_container(what: str) -> _Words:
    def words(item: Mapping[str, Any]) -> str:
        value = item["input"]
        is_single = isinstance(value, bool | str | int | float)
        return f"expected {what}, found {'a single value' if is_single else describe(value)}"

    return words


_OTHERS: dict[str, _Words] = {
    "extra_forbidden": lambda _: "unknown key. Check its spelling, or remove it",
    "missing": lambda _: "this key is missing",
    "string_type": _of_text,
    "tuple_type": _of_container("a list"),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type"),
        _of_container("keys with their values"),
    ),
    "literal_error": lambda item: (
        f"expected {item['ctx']['expected']}, found {describe(item['input'])}"
    ),
    "too_short": _of_length,
    "too_long": _of_length,
    "string_too_short": _of_text_length,
    "string_too_long": _of_text_length,
    "string_pattern_mismatch": lambda item: (
        f"expected text of the form {item['ctx']['pattern']}, found {describe(item['input'])}"
    ),
}
