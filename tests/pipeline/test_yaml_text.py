"""YAML of a user ends in its content or in one line, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.documents import read_yaml, yaml_fault
from pipeline.errors import UserError
from pipeline.study.shipped import SCHEMAS
from pipeline.yaml_text import DEEPEST, MOST_CHARACTERS, MOST_VALUES, parse_yaml
from tests.each import each


def fault(text: str) -> str:
    """What is wrong with a text."""
    with pytest.raises(yaml.YAMLError) as caught:
        parse_yaml(text)
    return yaml_fault(caught.value)


def by_pyyaml(monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    """What PyYAML's own parser, which is slower, makes of a text."""
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.yaml_text._FAST_LOADER", None)
        return ending(text)


def ending(text: str) -> Any:
    """Content with the place and form of each value, or the error."""
    try:
        root, content = parse_yaml(text)
    except yaml.YAMLError as error:
        return str(error)
    # Written out: a not-a-number equals nothing, and a value may hold itself.
    return places(root, {}), repr(content)


def places(node: Any, seen: dict[int, int]) -> Any:
    if node is None or id(node) in seen:
        return node and seen[id(node)]
    seen[id(node)] = len(seen)
    form = (node.tag, node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.ScalarNode):
        return *form, node.style, node.value
    if isinstance(node, yaml.SequenceNode):
        return *form, [places(item, seen) for item in node.value]
    return *form, [(places(key, seen), places(value, seen)) for key, value in node.value]


def repeated(times: int) -> str:
    """Each of some sequences holds the one before nine times: 9 ** times values."""
    lines = ["v0: &v0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"v{i}: &v{i} [{', '.join([f'*v{i - 1}'] * 9)}]" for i in range(1, times)]
    return "\n".join(lines)


def test_aliases_that_multiply_are_refused_before_they_are_expanded() -> None:
    expected = f"found more than {MOST_VALUES} values, repeated ones included (line "
    assert fault(repeated(30)).startswith(expected)


def test_aliases_within_the_limit_are_read() -> None:
    content = parse_yaml(repeated(3))[1]
    assert content["v2"][8][8][8] == "x"


@pytest.mark.parametrize(
    "text", ["x: &x [*x]", "x: &x\n  y: *x", "x: &x\n  <<: *x", "&x [1, [*x]]", "x: &x {*x : 1}"]
)
def test_an_alias_in_what_it_repeats_is_refused(text: str) -> None:
    assert fault(text).startswith("found an alias that stands in what it repeats (line ")


@pytest.mark.parametrize("levels", [DEEPEST + 1, 600, 20_000])
def test_nesting_without_end_is_refused(levels: int) -> None:
    expected = f"found more than {DEEPEST} levels of nesting (line 1)"
    assert fault("[" * levels + "]" * levels) == expected


def test_nesting_to_the_limit_is_read() -> None:
    assert parse_yaml("[" * DEEPEST + "]" * DEEPEST)[1]


def test_a_text_without_end_is_refused() -> None:
    assert fault("# " + "x" * MOST_CHARACTERS) == f"found more than {MOST_CHARACTERS} characters"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2020-13-45", "timestamp"),
        ("2021-02-29", "timestamp"),
        ("2020-01-01 25:00:00", "timestamp"),
        ("!!timestamp today", "timestamp"),
        ("!!int abc", "int"),
        ("!!int ''", "int"),
        ("9" * 5000, "int"),
        ("!!float abc", "float"),
        ("!!bool maybe", "bool"),
    ],
)
def test_a_value_that_is_not_what_its_form_says_is_named_by_line(value: str, kind: str) -> None:
    assert fault(f"a: 1\nb: {value}\n") == f"found a value that is no valid {kind} (line 2)"


def test_of_a_file_the_fault_is_one_line_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("when: 2020-13-45\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_yaml(path, "settings")
    assert str(caught.value) == (
        f"{path}: not valid YAML: found a value that is no valid timestamp (line 1). "
        "Expected the settings."
    )


_PIECES = st.sampled_from(
    [
        *("&a ", "*a ", "!!int ", "!!binary ", "[", "]", "{", "}", ": ", "- ", ", ", "\n", "  "),
        *(
            "2020-99-99",
            "1",
            "0x",
            "'",
            '"',
            "|",
            ">",
            "?",
            "%",
            "@",
            "\0",
            "\t",
            "---",
            "...",
            "<<",
        ),
    ]
)


_CHARACTERS = st.characters(codec="utf-8") | st.sampled_from("\t\r\n\x85\u2028\ufeff\ud800!?|>#- ")
_TEXTS = st.lists(_PIECES | _CHARACTERS, max_size=30).map("".join)


def test_libyaml_reads_the_shipped_studies_as_pyyaml_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in each(sorted(SCHEMAS.glob("*/study.yaml"))):
        text = path.read_text("utf-8")
        assert ending(text) == by_pyyaml(monkeypatch, text), path


@pytest.mark.parametrize(
    "text",
    ["a\t", "-\ta", "|# a", "!:a b", "--- \n", "a: \r\n\ufeff", "{a? \n\na}", "a: [1", "a: \0"],
)
def test_libyaml_is_not_asked_where_it_would_read_something_else(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    assert ending(text) == by_pyyaml(monkeypatch, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TEXTS)
def test_libyaml_reads_any_text_as_pyyaml_does(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert ending(text) == by_pyyaml(monkeypatch, text)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_content_or_an_error_of_yaml(text: str) -> None:
    try:
        ended = str(type(parse_yaml(text)))
    except yaml.YAMLError as error:
        ended = yaml_fault(error)
    assert "\n" not in ended
