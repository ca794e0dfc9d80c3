"""The trigger index: every trigger an event concerns, and only those asked that could be."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.spec.model import EventTrigger
from nexaflow_cli.spec.patterns import compile_pattern
from nexaflow_cli.triggers.match import Hit, TriggerIndex


def index(**triggers: EventTrigger | list[EventTrigger]) -> TriggerIndex:
    made = TriggerIndex()
    for name, given_ in triggers.items():
        made.set(name, enumerate(given_ if isinstance(given_, list) else [given_]))
    return made


def event(path: str | None = None, type_: str = "file.created", **data: Any) -> dict[str, Any]:
    found = {"id": "e1", "type": type_, **data}
    return found if path is None else {**found, "path": path}


PATTERNS = [
    "/in/*.txt",
    "/in/**/*.txt",
    "*.txt",
    "**/*.meta.json",
    "/in/*.{txt,md}",
    "/in/{a.txt,b.md}",
    "/in/*.{tar.gz,zip}",
    "/in/report.txt",
    "/in/data-*",
    "/in/*.t?t",
    "/in/[a-c]*.txt",
    "/{in,out}/*.txt",
    "/in/a.b/*",
    "/**",
    "/in/*.",
    "/in/\\*.txt",
    "*",
]
PATHS = [
    "/in/a.txt",
    "/in/b.md",
    "/in/sub/c.txt",
    "/a.txt",
    "/in/report.txt",
    "/in/data-1",
    "/in/data-1.csv",
    "/in/x.tar.gz",
    "/in/x.zip",
    "/in/gz",
    "/x/y/z.meta.json",
    "/out/a.txt",
    "/in/a.b/c",
    "/in/.txt",
    "/in/noext",
    "/in/dot.",
    "/in/*.txt",
    "/inbox/a.txt",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_index_finds_what_the_pattern_matches(pattern: str) -> None:
    made = index(w=EventTrigger("file.created", pattern))
    asked = compile_pattern(pattern)
    for path in PATHS:
        expected = [Hit("w", 0)] if asked.match(path) else []
        assert made.match(event(path)).hits == expected, path


@settings(deadline=None)
@given(
    st.lists(st.text("ab/*?.{},[]", max_size=8), min_size=1, max_size=6),
    st.text("ab/.", min_size=1, max_size=8),
)
def test_no_index_is_better_than_asking_each(patterns: list[str], path: str) -> None:
    made, expected = TriggerIndex(), []
    for number, pattern in enumerate(patterns):
        try:
            compiled = compile_pattern(pattern)
        except ValueError:
            continue
        made.set(f"w{number}", [(0, EventTrigger("file.created", pattern))])
        if compiled.match("/" + path):
            expected.append(Hit(f"w{number}", 0))
    assert made.match(event("/" + path)).hits == expected


def test_the_type_of_the_event_must_be_the_triggers() -> None:
    made = index(a=EventTrigger("file.created", "*.txt"), b=EventTrigger("file.updated", "*.txt"))
    assert made.match(event("/a.txt", "file.updated")).hits == [Hit("b", 0)]
    assert made.match(event("/a.txt", "file.moved")).hits == []


def test_a_trigger_without_a_pattern_takes_every_event_of_its_type() -> None:
    made = index(paid=EventTrigger("order.paid"), files=EventTrigger("file.created"))
    assert made.match(event(type_="order.paid")).hits == [Hit("paid", 0)]
    assert made.match(event("/a/b.txt")).hits == [Hit("files", 0)]


def test_a_pattern_needs_a_path() -> None:
    made = index(paid=EventTrigger("order.paid", "/**"))
    assert made.match(event(type_="order.paid")).hits == []
    assert made.match(event("/x", type_="order.paid")).hits == [Hit("paid", 0)]


def test_hits_are_ordered_by_workflow_and_trigger() -> None:
    made = index(
        b=[EventTrigger("file.created", "*.txt"), EventTrigger("file.created", "/in/**")],
        a=[EventTrigger("file.deleted"), EventTrigger("file.created", "/in/*.{txt,md}")],
    )
    assert made.match(event("/in/x.txt")).hits == [Hit("a", 1), Hit("b", 0), Hit("b", 1)]


def test_a_condition_decides_with_the_event_in_scope() -> None:
    made = index(
        small=EventTrigger("file.created", "*", condition="${{ event.size < 10 }}"),
        named=EventTrigger("file.created", "*", condition="workflow.name == 'named'"),
        never=EventTrigger("file.created", "*", condition=False),
    )
    assert made.match(event("/a", size=5)).hits == [Hit("named", 0), Hit("small", 0)]
    assert made.match(event("/a", size=50)).hits == [Hit("named", 0)]


@pytest.mark.parametrize("condition", ["${{ event.nothing > 1 }}", "event.size +", "1 / 0 > 0"])
def test_a_condition_that_cannot_be_told_is_reported_and_disturbs_nobody(condition: str) -> None:
    made = index(
        broken=EventTrigger("file.created", "*", condition=condition),
        fine=EventTrigger("file.created", "*"),
    )
    found = made.match(event("/a", size=1))
    assert found.hits == [Hit("fine", 0)]
    ((workflow, trigger, error),) = found.failures
    assert (workflow, trigger) == ("broken", 0)
    assert error.message


def test_a_workflow_does_not_start_itself_unless_it_says_so() -> None:
    made = index(
        uploads=EventTrigger("file.created", "/uploads/*.txt"),
        mirror=EventTrigger("file.created", "/uploads/*.txt"),
        crawler=EventTrigger("file.created", "/uploads/*", recursive=True),
    )
    found = made.match(event("/uploads/a_summary.txt"), caused_by=["uploads", "crawler"])
    assert found.hits == [Hit("crawler", 0), Hit("mirror", 0)]
    assert found.own == [Hit("uploads", 0)]


def test_only_what_would_have_started_counts_as_its_own_doing() -> None:
    made = index(w=EventTrigger("file.created", "/in/*", condition="event.size > 1"))
    assert made.match(event("/in/a", size=0), caused_by=["w"]).own == []
    assert made.match(event("/out/a", size=9), caused_by=["w"]).own == []


def test_setting_replaces_and_removing_forgets() -> None:
    made = index(w=[EventTrigger("file.created", "/a/*.{txt,md}"), EventTrigger("order.paid")])
    made.set("w", [(0, EventTrigger("file.created", "/b/*"))])
    assert made.match(event("/a/x.md")).hits == []
    assert made.match(event(type_="order.paid")).hits == []
    assert made.match(event("/b/x")).hits == [Hit("w", 0)]
    made.remove("w")
    made.remove("w")
    assert made.match(event("/b/x")).hits == []
    assert made._entries == {}


def test_a_malformed_pattern_leaves_the_triggers_as_they_were() -> None:
    made = index(w=EventTrigger("file.created", "/a/*"))
    with pytest.raises(ValueError, match="not closed"):
        made.set("w", [(0, EventTrigger("file.created", "/a/[")), (1, EventTrigger("x"))])
    assert made.match(event("/a/x")).hits == [Hit("w", 0)]


def test_few_triggers_are_asked_however_many_there_are() -> None:
    made = TriggerIndex()
    for number in range(1_000):
        pattern = f"/team{number % 100}/in/*.x{number}" if number % 2 else f"**/*.y{number}"
        made.set(f"w{number}", [(0, EventTrigger("file.created", pattern))])
    assert made.match(event("/team1/in/a.x1")).hits == [Hit("w1", 0)]
    assert len(list(made._candidates("file.created", "/team1/in/a.x1"))) == 1
    assert len(list(made._candidates("file.created", "/deep/down/a.y2"))) == 1
