"""What `http.request` takes and gives, for the checker, for editors and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_VALUE = {"type": ["string", "number", "boolean"]}
_STATUS = {
    "oneOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": "^([1-5][xX][xX]|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$"},
    ],
}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "description": "Address; http and https only."},
        "method": {"enum": list(METHODS), "default": "GET", "description": "HTTP method."},
        "headers": {
            "type": "object",
            "additionalProperties": _VALUE,
            "description": "Headers; those that may be keys are not sent on to another origin.",
        },
        "query": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"type": ["string", "number", "boolean", "null"]},
                    {"type": "array", "items": _VALUE},
                ],
            },
            "description": "Parameters added to the address; a list repeats one, null leaves it "
            "out.",
        },
        "json": {"description": "Body as JSON; any data."},
        "form": {
            "type": "object",
            "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]},
            "description": "Body as a form (application/x-www-form-urlencoded).",
        },
        "body": {"type": "string", "description": "Body as text, in UTF-8."},
        "auth": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "description": "Who asks; take the values from `secrets`.",
            "properties": {
                "bearer": {"type": "string", "description": "Token for Authorization: Bearer."},
                "basic": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["username"],
                    "description": "User and password for Authorization: Basic.",
                    "properties": {
                        "username": {"type": "string", "description": "Name of the user."},
                        "password": {"type": "string", "description": "Password, if any."},
                    },
                },
            },
        },
        "timeout": {
            "type": ["string", "number"],
            "default": "30s",
            "description": "For the whole exchange, as `10s` or a number of seconds; 0 for none "
            "but that of the step.",
        },
        "follow_redirects": {
            "type": "boolean",
            "default": True,
            "description": "Whether to go where the answer points.",
        },
        "max_redirects": {
            "type": "integer",
            "minimum": 0,
            "maximum": 50,
            "default": 10,
            "description": "How many redirects in a row to follow.",
        },
        "verify": {
            "type": "boolean",
            "default": True,
            "description": "Whether the certificate must be valid; false trusts anybody.",
        },
        "expect": {
            "oneOf": [_STATUS, {"type": "array", "minItems": 1, "items": _STATUS}],
            "default": ["2xx"],
            "description": "Statuses that are a success: codes (200), classes (2xx), ranges "
            "(200-299).",
        },
        "save_to": {
            "type": "string",
            "description": "File of the file space to write the body to, instead of having it "
            "in the output.",
        },
    },
}

OUTPUT = (
    "`{status, headers, url, elapsed_ms, encoding, body}`: header names in lower case, `url` after "
    "redirects; `body` is data if the answer is JSON, else text, else base64, as `encoding` says. "
    "With `save_to`, `file` describes the file. Any other status fails with type `http`; "
    "408, 425, 429 and 5xx can be retried, and Retry-After is kept to."
)

EXAMPLE = """\
- id: notify
  action: http.request
  with:
    method: POST
    url: https://hooks.example.com/notify
    auth: {bearer: "${{ secrets.HOOK }}"}
    json: {file: "${{ event.path }}"}
    timeout: 10s
  retry: {max_attempts: 5, backoff_seconds: 2}
"""
