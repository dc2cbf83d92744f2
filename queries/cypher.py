"""As much of Cypher's grammar as it takes to see every relationship pattern and what binds its clocks.

The text is cut into tokens (comments and the content of strings cannot look like code then), brackets are matched,
and every chain `(a)-[r:T]->(b)...` is read, wherever it stands: MATCH, EXISTS {}, COUNT {}, comprehensions, bare
predicates. A clock counts as bound only where it cannot be argued away: as a whole conjunct of the WHERE of the
same MATCH, subquery or comprehension, never below OR, NOT or XOR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kg.errors import CatalogError

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      |(?P<quoted>`(?:[^`]|``)*`)
      |(?P<param>\$(?:\w+|`[^`]*`))
      |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)
      |(?P<name>[^\W\d]\w*)
      |(?P<mark>\.\.|<>|<=|>=|=~|\+=|[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLAUSES = frozenset({"MATCH", "OPTIONAL", "WITH", "RETURN", "UNWIND", "UNION", "CALL", "ORDER", "SKIP", "LIMIT"})
_OPERATORS = ("WHERE", "AND", "OR", "XOR", "NOT", "IN", "CONTAINS", "WITH", "CASE", "WHEN", "THEN", "ELSE", "AS")
_WRITING = ("CREATE", "MERGE", "DELETE", "DETACH", "SET", "REMOVE", "DROP", "FOREACH", "LOAD", "YIELD")
_REFUSED = dict.fromkeys(_WRITING, "a named query only reads") | dict.fromkeys(
    ("SHORTESTPATH", "ALLSHORTESTPATHS"), "it finds a path before it looks at the clocks; write a bounded path"
)
CLOCKS = {
    "valid": (("valid_from", "<="), ("valid_to", ">")),
    "known": (("known_from", "<="), ("known_to", ">")),
    "published": (("published", "<="), ("published_to", ">")),
}
"""The comparisons that bind each clock of a relationship."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text; `kind` is string, quoted, param, number, name or mark."""

    kind: str
    text: str
    line: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words

    @property
    def identifier(self) -> str | None:
        """The variable this token may name."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind == "name" else None


@dataclass(frozen=True, slots=True)
class Relationship:
    """One relationship of a pattern. `path` is the variable of the chain, for a relationship of many hops."""

    variable: str | None
    path: str | None
    types: tuple[str, ...]
    many: bool
    shape: str
    """Direction and types without variables: `-[:OWNS*1..4]->`."""
    start: int
    """Place of its chain's first token."""
    line: int


class Text:
    """A Cypher text as tokens with matched brackets. CatalogError where it cannot be read."""

    def __init__(self, cypher: str) -> None:
        self.tokens = list(_tokens(cypher))
        self.close = _matched(self.tokens)
        self._check_words()

    @property
    def params(self) -> frozenset[str]:
        """Names after `$`."""
        return frozenset(token.text[1:].strip("`") for token in self.tokens if token.kind == "param")

    def _check_words(self) -> None:
        for before, token in zip([None, *self.tokens], self.tokens, strict=False):
            after_dot = before is not None and before.text in (".", ":")
            if token.kind == "name" and token.text.upper() in _REFUSED and not after_dot:
                raise CatalogError(f"line {token.line}: {token.text} is not allowed: {_REFUSED[token.text.upper()]}")
            if before is not None and before.is_word("CALL") and token.text != "{":
                raise CatalogError(
                    f"line {before.line}: CALL of a procedure is not allowed; only CALL {{ subquery }} is"
                )

    # ---- patterns

    def relationships(self) -> list[Relationship]:
        """Every relationship of every pattern, in order."""
        found: list[Relationship] = []
        inner: set[int] = set()
        for place, token in enumerate(self.tokens):
            if token.text == "(" and place not in inner:
                found += self._chain(place, inner)
        return found

    def _chain(self, start: int, inner: set[int]) -> Iterator[Relationship]:
        """Relationships of the chain whose first node opens at `start`, if it is one."""
        path = self._path_variable(start)
        place = self.close[start] + 1
        while (link := self._link(place)) is not None:
            left, body, right, node = link
            inner.add(node)
            yield self._relationship(left, body, right, path, start)
            place = self.close[node] + 1

    def _path_variable(self, start: int) -> str | None:
        if start >= 2 and self.tokens[start - 1].text == "=":
            return self.tokens[start - 2].identifier
        return None

    def _at(self, place: int) -> str:
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def _link(self, place: int) -> tuple[str, int | None, str, int] | None:
        """Left arrow, place of `[`, right arrow and place of the next node, if a relationship stands here."""
        left = self._at(place) == "<"
        place += left
        if self._at(place) != "-":
            return None
        place += 1
        body = place if self._at(place) == "[" else None
        if body is not None:
            place = self.close[body] + 1
        if self._at(place) != "-":
            return None
        place += 1
        right = self._at(place) == ">"
        place += right
        if self._at(place) != "(":
            return None
        return "<-" if left else "-", body, "->" if right else "-", place

    def _relationship(self, left: str, body: int | None, right: str, path: str | None, start: int) -> Relationship:
        if body is None:
            return Relationship(None, path, (), False, f"{left}[]{right}", start, self.tokens[start].line)
        words = self.tokens[body + 1 : self.close[body]]
        variable = words[0].identifier if words and not words[0].is_word("WHERE") else None
        head = [token.text for token in _until(words[variable is not None :], ("{", "WHERE"))]
        types = tuple(sorted(text for text in head if re.fullmatch(r"[^\W\d]\w*|`.*`", text)))
        hops = "".join(head[head.index("*") :]) if "*" in head else ""
        shape = f"{left}[:{'|'.join(types)}{hops}]{right}"
        return Relationship(variable, path, types, bool(hops), shape, start, self.tokens[body].line)

    # ---- what binds the clocks

    def unbound(self, edge: Relationship, clocks: frozenset[str]) -> list[str]:
        """Clocks of a relationship that nothing binds; `clocks` are the parameters that may bind one."""
        conjuncts = self._conjuncts_at(edge.start)
        wanted = []
        for clock, comparisons in CLOCKS.items():
            params = [name for name in sorted(clocks) if name == clock or name.startswith(f"{clock}_")]
            if not any(all(self._says(conjuncts, edge, p, op, name) for p, op in comparisons) for name in params):
                wanted.append(clock)
        return wanted

    def _says(self, conjuncts: list[list[Token]], edge: Relationship, prop: str, op: str, param: str) -> bool:
        """Is `variable.prop op $param` a conjunct (for many hops: for all relationships)?"""
        if not edge.many:
            return edge.variable is not None and [edge.variable, ".", prop, op, f"${param}"] in _texts(conjuncts)
        for inner, variable in self._for_all(conjuncts, edge):
            if [variable, ".", prop, op, f"${param}"] in _texts(inner):
                return True
        return False

    def _for_all(self, conjuncts: list[list[Token]], edge: Relationship) -> Iterator[tuple[list[list[Token]], str]]:
        """Conjuncts inside `all(x IN relationships(path) WHERE ...)` and x."""
        for words in conjuncts:
            text = [token.text for token in words]
            if len(text) < 7 or text[0].lower() != "all" or text[1] != "(" or text[3].upper() != "IN":
                continue
            over_path = edge.path is not None and text[4:9] == ["relationships", "(", edge.path, ")", "WHERE"]
            over_list = edge.variable is not None and text[4:6] == [edge.variable, "WHERE"]
            if over_path or over_list:
                yield _conjuncts(words[9 if over_path else 6 : -1]), text[2]

    def _conjuncts_at(self, start: int) -> list[list[Token]]:
        """Conjuncts of the WHERE that governs the pattern starting at a place."""
        place = start
        while place < len(self.tokens):
            token = self.tokens[place]
            if token.text in ")]}|" or (place > start and self._clause(place)):
                return []
            if token.is_word("WHERE"):
                return _conjuncts(self._where(place + 1))
            place = self.close.get(place, place) + 1
        return []

    def _clause(self, place: int) -> bool:
        """Does a clause start here? The WITH of STARTS WITH and ENDS WITH, between two values, is none."""
        token = self.tokens[place]
        if token.is_word("WITH") and place > 1 and self.tokens[place - 1].is_word("STARTS", "ENDS"):
            before = self.tokens[place - 2]  # `x = starts WITH x` is a variable of that name and a clause
            value = before.text in (")", "]", "}") if before.kind == "mark" else not before.is_word(*_OPERATORS)
            return not value
        return token.is_word(*_CLAUSES)

    def _where(self, place: int) -> list[Token]:
        """Tokens of a WHERE up to the next clause or the end of the enclosing bracket."""
        found: list[Token] = []
        while place < len(self.tokens):
            token = self.tokens[place]
            if token.text in ")]}|" or self._clause(place):
                break
            end = self.close.get(place, place)
            found += self.tokens[place : end + 1]
            place = end + 1
        return found


def _tokens(cypher: str) -> Iterator[Token]:
    place, line = 0, 1
    while place < len(cypher):
        match = _TOKEN.match(cypher, place)
        if match is None:
            raise CatalogError(
                f"line {line}: cannot read {cypher[place : place + 20]!r}; a string or comment is not closed"
            )
        kind, text = match.lastgroup or "", match.group()
        if kind == "mark" and text in "'\"`":
            raise CatalogError(f"line {line}: a string that starts with {text} is not closed")
        if kind != "space":
            yield Token(kind, text, line)
        line += text.count("\n")
        place = match.end()


def _matched(tokens: Sequence[Token]) -> dict[int, int]:
    """Place of the closing bracket for each opening one."""
    close: dict[int, int] = {}
    open_: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind != "mark":
            continue
        if token.text in _PAIRS:
            open_.append(place)
        elif token.text in ")]}":
            if not open_ or _PAIRS[tokens[open_[-1]].text] != token.text:
                raise CatalogError(f"line {token.line}: {token.text} closes nothing")
            close[open_.pop()] = place
    if open_:
        raise CatalogError(f"line {tokens[open_[-1]].line}: {tokens[open_[-1]].text} is never closed")
    return close


def _until(tokens: Sequence[Token], ends: tuple[str, ...]) -> Iterator[Token]:
    for token in tokens:
        if token.text.upper() in ends:
            return
        yield token


def _texts(conjuncts: list[list[Token]]) -> list[list[str]]:
    return [[token.identifier or token.text for token in words] for words in conjuncts]


def _conjuncts(tokens: Sequence[Token]) -> list[list[Token]]:
    """Parts of a condition joined by AND; nothing if OR or XOR stands beside them."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind == "mark" and token.text in _PAIRS) or token.is_word("CASE")
        depth -= (token.kind == "mark" and token.text in ")]}") or token.is_word("END")
        if depth == 0 and token.is_word("OR", "XOR"):
            return []
        if depth == 0 and token.is_word("AND"):
            parts.append([])
        else:
            parts[-1].append(token)
    return [inner for part in parts for inner in (_conjuncts(part[1:-1]) if _wrapped(part) else [part])]


def _wrapped(part: Sequence[Token]) -> bool:
    """Is the part one pair of parentheses around everything?"""
    if len(part) < 2 or part[0].text != "(":
        return False
    depth = 0
    for place, token in enumerate(part):
        depth += token.text == "("
        depth -= token.text == ")"
        if depth == 0:
            return place == len(part) - 1
    return False
