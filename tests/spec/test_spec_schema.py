"""Our reading of JSON Schema agrees with the reference one; the workflow schema helps editors."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nexaflow_cli.spec.schema import ValueSchema, schema_text, workflow_shape
from nexaflow_cli.spec.shape import Shape, UnsupportedSchemaError

SCHEMA = json.loads(schema_text())
REFERENCE = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_field_is_described():
    missing = []

    def visit(schema, path):
        if not isinstance(schema, dict):
            return
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                missing.append(f"{path}.{name}")
            visit(field, f"{path}.{name}")
        for key in ("items", "additionalProperties"):
            visit(schema.get(key), f"{path}.{key}")
        for key in ("anyOf", "oneOf"):
            for branch in schema.get(key, []):
                visit(branch, path)

    visit(SCHEMA, "")
    for name, schema in SCHEMA["$defs"].items():
        assert schema["description"]
        visit(schema, name)
    assert missing == []


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from(["", "a", "x y", "@daily"]),
)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                sorted({*SCHEMA["properties"], *SCHEMA["$defs"]["step"]["properties"], "if", "x"})
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


def conforming(depth=0):
    """Documents near to what the schema accepts."""
    step = {"id": st.sampled_from(["a", "b_1", "Bad", "c"])}
    body = st.sampled_from(["run", "action"])
    extra = dict.fromkeys(
        ("needs", "timeout", "retry", "if", "env", "with", "for_each", "as"), _DATA
    )
    return st.builds(
        lambda fields, kind, more: {**fields, kind: "x", **more},
        st.fixed_dictionaries(step),
        body,
        st.fixed_dictionaries({}, optional=extra),
    )


_WORKFLOWS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b-c", "A"]), "steps": st.lists(conforming(), max_size=3)},
    optional={key: _DATA for key in SCHEMA["properties"] if key not in ("name", "steps")},
)


@given(st.one_of(_DATA, _WORKFLOWS))
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_reference_implementation_on_workflows(data):
    assert (workflow_shape().problems(data) == []) == REFERENCE.is_valid(data)


CASES = [
    ({"type": "integer"}, [1, 1.0, 1.5, True, "1", None]),
    ({"type": ["string", "null"]}, ["", None, 0, False]),
    ({"enum": [1, "a", None, [1], {"a": 1}]}, [1, 1.0, True, "a", None, [1], [True], {"a": 1}, 2]),
    ({"const": 0}, [0, 0.0, False, None]),
    ({"pattern": "^a+$"}, ["a", "aa", "b", "", 1]),
    ({"pattern": "b"}, ["abc", "a"]),
    ({"minimum": 1, "maximum": 3}, [0, 1, 3, 4, True, "5"]),
    ({"exclusiveMinimum": 1, "exclusiveMaximum": 3}, [1, 2, 3]),
    ({"multipleOf": 0.5}, [1, 0.25, 2.5]),
    ({"minLength": 2, "maxLength": 3}, ["a", "ab", "abcd", "éé", 12345]),
    ({"minItems": 1, "maxItems": 2, "uniqueItems": True}, [[], [1], [1, 1], [1, 2, 3], [[1], [1]]]),
    ({"minProperties": 1, "maxProperties": 1}, [{}, {"a": 1}, {"a": 1, "b": 2}]),
    ({"items": {"type": "string"}}, [["a"], ["a", 1], [], "a"]),
    ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, [{}, {"a": 1}, {"a": "x"}, 5]),
    ({"additionalProperties": {"type": "integer"}}, [{"a": 1}, {"a": "b"}, {}]),
    ({"properties": {"a": True}, "additionalProperties": False}, [{"a": 1}, {"b": 1}]),
    ({"propertyNames": {"maxLength": 1}}, [{"a": 1}, {"ab": 1}]),
    ({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]}, ["a", 1, 5, None]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 3}]}, [1, 5, 3.5, 2.5, "a"]),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{}, {"a": 1}, {"a": 1, "b": 1}, 1]),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [0, 1, 3]),
    ({"not": {"type": "string"}}, ["a", 1]),
    ({"dependentRequired": {"a": ["b"]}}, [{"a": 1}, {"a": 1, "b": 1}, {"b": 1}]),
    ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{"a": 1}, {"a": 1, "b": 1}, {}]),
    (
        {"$ref": "#/$defs/t", "$defs": {"t": {"items": {"$ref": "#/$defs/t"}, "type": "array"}}},
        [[], [[], [[]]], [1], [[1]]],
    ),
    (True, [1, None]),
    (False, [1]),
    ({}, [1, {}]),
    # Keywords that are left to the reference implementation.
    ({"if": {"type": "string"}, "then": {"minLength": 2}}, ["a", "ab", 1]),
    ({"prefixItems": [{"type": "string"}]}, [["a"], [1]]),
    ({"patternProperties": {"^a": {"type": "string"}}}, [{"ab": "x"}, {"ab": 1}]),
    ({"contains": {"type": "string"}}, [["a"], [1]]),
]


@pytest.mark.parametrize(("schema", "values"), CASES)
def test_keywords_mean_what_the_standard_says(schema, values):
    ours = ValueSchema(schema)
    reference = Draft202012Validator(schema)
    assert [ours.problems(value) == [] for value in values] == [
        reference.is_valid(value) for value in values
    ]


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"type": "integer"}, "${{ x }}", True),
        ({"properties": {"a": {"type": "integer"}}}, {"a": "${{ x }}"}, True),
        ({"properties": {"a": {"type": "integer"}}, "required": ["b"]}, {"a": "${{ x }}"}, False),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "${{ x }}", True),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": "${{ x }}"}, True),
        ({"not": {"const": "x"}}, "${{ x }}", True),
        ({"if": {"type": "string"}, "then": {"maxLength": 1}}, "${{ x }}", True),
        ({"enum": ["a"]}, "$${{ x }}", True),
    ],
)
def test_what_is_not_known_yet_fits_everywhere(schema, value, fits):
    assert (ValueSchema(schema).problems(value, lenient=True) == []) is fits


@pytest.mark.parametrize(
    "schema",
    [{"type": "strin"}, {"$ref": "#/$defs/none"}, {"pattern": "("}, {"minimum": "a"}, {"type": 5}],
)
def test_a_wrong_schema_is_refused(schema):
    with pytest.raises(ValueError, match=r"."):
        ValueSchema(schema).problems({"a": [1, "x"]})


def test_remote_references_are_never_followed():
    with pytest.raises(ValueError, match="reference"):
        ValueSchema({"$ref": "http://127.0.0.1:9/schema.json"})


def test_unknown_keywords_are_refused_not_ignored():
    with pytest.raises(UnsupportedSchemaError, match="minLenght"):
        Shape({"minLenght": 3})
