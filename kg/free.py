"""What a Cypher text from outside may be: one reading statement of known clauses, functions and procedures.

`kg.cypher` refuses what writes, in the text of any question. A text that somebody types is held to more: what is not
on a list here is refused, by the text first and by the engine's own plan of it after that, and so is what an engine
could not break off once it computes: lists walked within lists, and sums that double themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kg.cypher import NAMESPACES, PROCEDURES, bare, check_reading, masked
from kg.errors import QueryError

LONGEST = 10_000
"""Characters of a text."""
DEEPEST = 60
"""Brackets within brackets: deeper texts have ended parsers."""
ITERATIONS = 20
"""Lists walked by one text."""
REPLACES = 2
"""Calls of `replace` in one text: each can make a text longer by as much as it puts in, and no time-out ends it."""
PUT_IN = 20
"""Characters that `replace` may put in."""
PARTS = {
    "operators": (re.compile(r"[+*/%^=<>,-]|\b(?:AND|OR|XOR|NOT)\b", re.IGNORECASE), 400),
    "relationships": (re.compile(r"\)\s*<?\s*-"), 30),
    "clauses": (re.compile(r"\b(?:MATCH|WITH|UNWIND|CALL|RETURN)\b", re.IGNORECASE), 60),
}
"""What a planner's work grows with, faster than in step, and how much of it is taken: planning knows no time-out."""
FIRST = ("MATCH", "OPTIONAL", "RETURN", "UNWIND", "WITH", "CALL")
"""Words a text may begin with: not EXPLAIN, PROFILE, CYPHER, SHOW, USE, LOAD, BEGIN, WHEN, FINISH."""
_AGGREGATES = "avg collect count max min percentilecont percentiledisc stdev stdevp sum"
_LISTS = "all any head isempty keys labels last nodes none range reduce relationships reverse single size tail"
_SCALARS = (
    "char_length character_length coalesce elementid endnode exists id length nullif properties startnode "
    "toboolean tobooleanornull tofloat tofloatornull tointeger tointegerornull tostring tostringornull type valuetype "
    "tobooleanlist tofloatlist tointegerlist tostringlist"
)
_NUMBERS = "abs ceil cos acos asin atan atan2 sin tan cot degrees radians e exp floor isnan ln log log10 pi round sign"
_TEXTS = "btrim left lower ltrim normalize replace right rtrim split substring tolower toupper trim upper sqrt"
_TIMES = "date datetime duration localdatetime localtime time timestamp point"
_PATHS = "shortestpath allshortestpaths"
FUNCTIONS = frozenset(" ".join((_AGGREGATES, _LISTS, _SCALARS, _NUMBERS, _TEXTS, _TIMES, _PATHS)).split())
"""Functions without a dot, in lower case, that only compute: none reads a file, sleeps or runs another text."""
_BEFORE_BRACKETS = (
    "match where and or xor not in return with unwind call when then else case distinct by skip limit offset on as "
    "union contains shortest any all path paths group groups elements relationships count exists collect"
)
_KEYWORDS = frozenset(_BEFORE_BRACKETS.split())
"""Words after which a bracket is no call."""
_READING = (
    "Aggregation Anti AntiConditionalApply AntiSemiApply Apply Argument BFSPruningVarExpand BidirectionalRepeat "
    "CacheProperties CartesianProduct ConditionalApply Distinct Eager EagerAggregation EmptyResult EmptyRow "
    "ExhaustiveLimit Expand Filter LetAntiSemiApply LetSelectOrAntiSemiApply LetSelectOrSemiApply LetSemiApply Limit "
    "NodeCountFromCountStore NodeHashJoin NodeLeftOuterHashJoin NodeRightOuterHashJoin NullifyMetadata Optional "
    "OptionalExpand OrderedAggregation OrderedDistinct OrderedUnion PartialSort PartialTop PartitionedUnwind "
    "PreserveOrder ProcedureCall ProduceResults ProjectEndpoints Projection RelationshipCountFromCountStore "
    "RemoteBatchProperties Repeat RollUpApply SelectOrAntiSemiApply SelectOrSemiApply SemiApply ShortestPath Skip Sort "
    "StatefulShortestPath Top TriadicBuild TriadicFilter TriadicSelection Union Unwind ValueHashJoin "
    "VarLengthExpand"
)
OPERATORS = frozenset(_READING.split())
"""Operators of Neo4j's plans that only read; those that end in Scan or Seek read too, unless they lock."""
CLAUSES = frozenset(
    f"{word}Clause" for word in ("Match", "With", "Return", "Unwind", "Call", "Subquery", "OrderBySkipLimit")
)
"""Clauses of ArcadeDB's parser that only read."""

_CALLED = re.compile(r"(?<![\w.$])((?:[^\W\d]\w*\s*\.\s*)*[^\W\d]\w*)\s*\(")
_BATCHED = re.compile(r"\bIN\s+(?:[\w$]+\s+)?(?:CONCURRENT\s+)?TRANSACTIONS\b", re.IGNORECASE)
_ITERATES = re.compile(r"(?<![\w.$])(reduce|all|any|none|single)\s*(\()|(\[)\s*\w+\s+IN\b", re.IGNORECASE)
_SHORT = re.compile(r"\bIN\s*(?:(?:relationships|nodes|labels|keys)\s*\(|\[)|\bIN\b", re.IGNORECASE)
_REPLACE = re.compile(r"(?<![\w.$])replace\s*\(", re.IGNORECASE)
_SHORT_LAST = re.compile(rf",\s*'x{{0,{PUT_IN}}}'\s*$")
_SUM = re.compile(r"\(\s*(\w+)\s*=")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Plan:
    """What an engine would do for a text, as far as the engine tells."""

    kind: str
    """`r` for a text that reads the graph and nothing else."""
    operators: frozenset[str] = field(default=frozenset())
    functions: frozenset[str] = field(default=frozenset())
    procedures: frozenset[str] = field(default=frozenset())


def check_free(text: str) -> None:
    """QueryError unless a text from outside is one reading statement of known parts."""
    if len(text) > LONGEST:
        raise QueryError(f"the query has {len(text)} characters; at most {LONGEST} of a free text are taken")
    check_reading(text)
    plain = bare(text)
    first = re.match(r"\s*(\w*)", plain)
    word = first[1].upper() if first else ""
    if word not in FIRST:
        raise QueryError(
            f"a free query begins with {word or plain.strip()[:10]!r}; it may begin with {', '.join(FIRST)}"
        )
    if _BATCHED.search(plain):
        raise QueryError("IN TRANSACTIONS is refused: a question is one reading transaction; leave it out")
    if "=~" in plain:
        raise QueryError("=~ is refused: a pattern can run without end; use CONTAINS, STARTS WITH or ENDS WITH")
    for called in _CALLED.findall(plain):
        name = re.sub(r"\s", "", called)
        if name.lower() not in _KEYWORDS and name not in PROCEDURES:
            check_function(name)
    _check_work(plain)
    _check_growth(masked(text))


def check_function(name: str) -> None:
    """QueryError for a function that is not on the list."""
    if name.lower() not in FUNCTIONS and name.rpartition(".")[0].lower() not in NAMESPACES:
        raise QueryError(
            f"function {name} is refused; allowed: {', '.join(sorted(FUNCTIONS))}, and those of {', '.join(NAMESPACES)}"
        )


def check_plan(plan: Plan) -> None:
    """QueryError unless the engine itself says that the text reads, by operators, functions and procedures we know."""
    if plan.kind != "r":
        raise QueryError(f"the engine calls this query {plan.kind!r}; only 'r' is allowed, which reads the graph")
    if strange := sorted(name for name in plan.operators if not _reads(name)):
        raise QueryError(f"the engine's plan has {', '.join(strange)}; only operators that read the graph are allowed")
    for name in sorted(plan.functions):
        check_function(name)
    allowed = {name.lower() for name in PROCEDURES}
    if strange := sorted(name for name in plan.procedures if name.lower() not in allowed):
        raise QueryError(f"CALL of {', '.join(strange)} is refused; allowed: {', '.join(PROCEDURES)}")


def _reads(operator: str) -> bool:
    """`VarLengthExpand(All)@neo4j` is known by its first word."""
    name = re.split(r"[(@]", operator)[0]
    return "Locking" not in operator and (
        name in OPERATORS | CLAUSES or bool(re.search(r"(Scan|Seek|SeekByRange)$", name))
    )


def _check_work(plain: str) -> None:
    """QueryError for nesting and repetition that no time-out of an engine would end."""
    for name, (part, most) in PARTS.items():
        if (count := len(part.findall(plain))) > most:
            raise QueryError(f"the query has {count} {name}; at most {most} are planned, split it or use parameters")
    close = _closing(plain)
    walks = [(place, close.get(place, len(plain))) for place in _iterations(plain)]
    if len(walks) > ITERATIONS:
        raise QueryError(f"the query walks {len(walks)} lists; at most {ITERATIONS} are allowed, split it")
    for begin, end in walks:
        inner = [place for place, _ in walks if begin < place < end]
        if not all(_short(plain, place, close) for place in inner):
            raise QueryError(
                "a list is walked within the walk of another, which no time-out ends; inside one, walk only "
                "relationships(path), nodes(path), labels(n), keys(n) or a list that is written out, or UNWIND"
            )
        total = _SUM.match(plain, begin)
        if total and len(re.findall(rf"(?<![\w.$]){total[1]}(?!\w)", plain[begin:end])) > 2:  # its name, and one use
            raise QueryError(f"reduce uses its result {total[1]} more than once, so it could double; use it once")


def _check_growth(plain: str) -> None:
    """QueryError for texts that replace themselves with ever longer ones: memory ends them, and no time-out."""
    calls = [found.end() - 1 for found in _REPLACE.finditer(plain)]
    if len(calls) > REPLACES:
        raise QueryError(f"the query calls replace {len(calls)} times; at most {REPLACES} are allowed, as texts grow")
    close = _closing(plain)
    if not all(_SHORT_LAST.search(plain[begin + 1 : close.get(begin, len(plain))]) for begin in calls):
        raise QueryError(
            f"replace puts in what is not known to be short; write it out as a text of at most {PUT_IN} characters"
        )
    sums = [place for place in _iterations(plain) if _SUM.match(plain, place)]
    if any(begin < call < close.get(begin, len(plain)) for begin in sums for call in calls):
        raise QueryError("replace is called in reduce, so its text could grow at every step; call it outside")


def _short(plain: str, begin: int, close: dict[int, int]) -> bool:
    """Is the list that is walked in this bracket one that cannot be long?"""
    head, place = "", begin + 1
    while place < close.get(begin, len(plain)) and plain[place] != "|":
        head += plain[place]
        place = close.get(place, place) + 1
    lists = [found[0] for found in _SHORT.finditer(re.split(r"(?i)\bWHERE\b", head)[0])]
    return bool(lists) and all(text[-1] in "([" for text in lists)


def _iterations(plain: str) -> Iterator[int]:
    """Places of the brackets inside which a list is walked."""
    for found in _ITERATES.finditer(plain):
        yield found.start(2) if found[2] else found.start(3)


def _closing(plain: str) -> dict[int, int]:
    """Place of the closing bracket for each opening one. QueryError where they nest too deep."""
    close: dict[int, int] = {}
    opened: list[int] = []
    for place, mark in enumerate(plain):
        if mark in _PAIRS:
            opened.append(place)
            if len(opened) > DEEPEST:
                raise QueryError(f"brackets are nested more than {DEEPEST} deep; write the query flatter")
        elif mark in _PAIRS.values() and opened:
            close[opened.pop()] = place
    return close
