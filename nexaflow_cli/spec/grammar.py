"""Jinja2's own grammar of expressions, read without its compiler, and with exact positions.

Jinja's nodes know their line only. Every token here carries its character offset where Jinja
expects a line, so `node.lineno` is the offset of what the node was written as.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Token, TokenStream, operators
from jinja2.parser import Parser

from nexaflow_cli.spec.template import MAX_EXPRESSION, ExpressionError

MAX_TOKENS = 1000
MAX_NESTING = 40

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<float>(?<!\.)(?:\d+(?:_\d+)*)(?:(?:\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
    |(?P<integer>\d+(?:_\d+)*)
    |(?P<name>[^\W\d]\w*)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<operator>//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}<>=.:|,])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/", "0": "\0"}
_WORDS = {"&": "write `and`", "!": "write `not`", "=": "compare with `==`", "|": "write `or`"}
# What recurses in the parser without a bracket: each costs it a few frames.
_RECURSIVE = {"not", "if", "else"}


class _Grammar(Environment):
    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return TokenStream(_tokens(source), name, filename)


_GRAMMAR = _Grammar()


def parse(source: str) -> nodes.Expr:
    """Parse one expression; `lineno` of each node is its offset in `source`.

    Raises:
        ExpressionError: the text is not an expression, or is too long or too deep.
    """
    if len(source) > MAX_EXPRESSION:
        raise ExpressionError(f"the expression is longer than {MAX_EXPRESSION} characters")
    try:
        parser = Parser(_GRAMMAR, source)
        if parser.stream.eos:
            raise ExpressionError("the expression is empty")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            _stray(parser.stream.current, source)
    except TemplateSyntaxError as error:
        # A token stream that ran out reports the line of its last token.
        message = (error.message or "invalid syntax").rstrip(".")
        message = message.replace("'end of template'", "the end").replace("token ", "")
        raise ExpressionError(message[:1].lower() + message[1:], error.lineno) from None
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None
    return tree


def _stray(token: Token, source: str) -> None:
    text = source[token.lineno :].split(maxsplit=1)[0]
    hint = ""
    if token.type == "assign":
        hint = "compare with `==`"
    elif token.type in ("name", "string", "integer", "float", "lbrace"):
        hint = "one expression only; join values with `~`, conditions with `and` or `or`"
    raise ExpressionError(
        f"unexpected `{text[:32]}`", token.lineno, length=min(len(text), 32), hint=hint
    )


def _tokens(source: str) -> Iterator[Token]:
    position = count = depth = chain = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            _bad_character(source, position)
        assert match is not None
        kind, text = match.lastgroup or "", match[0]
        start, position = position, match.end()
        if kind == "space":
            continue
        count += 1
        depth += (text in "([{") - (text in ")]}") if kind == "operator" else 0
        # Signs in a row and `not`/`if` recurse too; they never return before the end is read.
        chain += text in _RECURSIVE or (text in "+-" and kind == "operator")
        if count > MAX_TOKENS or depth > MAX_NESTING or chain > MAX_NESTING:
            raise ExpressionError("the expression is too complex", start, length=len(text))
        yield _token(kind, text, start)


def _token(kind: str, text: str, offset: int) -> Token:
    value: object = text
    if kind == "string":
        value = _unescape(text[1:-1], offset + 1)
    elif kind == "integer":
        if len(text) > 40:
            raise ExpressionError("the number is too large", offset, length=len(text))
        value = int(text)
    elif kind == "float":
        value = float(text)
    elif kind == "operator":
        kind = operators[text]
    # Token is declared with a str value; Jinja's own lexer puts numbers there as well.
    return Token(offset, kind, value)  # type: ignore[arg-type]


def _unescape(text: str, offset: int) -> str:
    def one(match: re.Match[str]) -> str:
        if match[3] is None:
            char = chr(int(match[1] or match[2], 16))
        elif match[3] in _ESCAPES:
            char = _ESCAPES[match[3]]
        else:
            raise ExpressionError(
                f"`{match[0]}` is not an escape",
                offset + match.start(),
                length=2,
                hint="write two backslashes for one",
            )
        if "\ud800" <= char <= "\udfff":
            raise ExpressionError("a surrogate is not a character", offset + match.start())
        return char

    return _ESCAPE.sub(one, text) if "\\" in text else text


def _bad_character(source: str, position: int) -> None:
    char = source[position]
    if char in "'\"":
        raise ExpressionError("the string is not closed", position, length=1)
    shown = char if char.isprintable() else f"U+{ord(char):04X}"
    raise ExpressionError(
        f"unexpected character `{shown}`", position, length=1, hint=_WORDS.get(char, "")
    )
