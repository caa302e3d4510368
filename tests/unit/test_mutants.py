"""Mutants of the domain code: one fault each, in one place, under a name that lasts."""

import ast
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.pairs.weave import (
    App,
    Mutant,
    choose_mutants,
    find_mutants,
    read_app,
    weave_variants,
)
from harness.pairs.weave.faults import OPERATORS
from harness.pairs.weave.reading import read_sources

FIXTURES = Path(__file__).parents[2] / "fixtures"
APPS = sorted(path.parents[1].name for path in FIXTURES.glob("*/app/app.yaml"))
every_app = pytest.mark.parametrize("name", APPS)


@cache
def sources(name: str) -> App:
    return read_app(FIXTURES / name / "app")


@cache
def mutants(name: str) -> list[Mutant]:
    return find_mutants(sources(name))


@every_app
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_mutant_parses_and_differs_in_one_place(name: str, data: st.DataObject):
    mutant = data.draw(st.sampled_from(mutants(name)))
    text = sources(name).texts[mutant.path]
    assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(text))
    start = sum(len(line) for line in text.splitlines(keepends=True)[: mutant.line - 1])
    before, here, after = text[start:].partition(mutant.before)
    places = [text[:start] + before + mutant.after + after]
    while here and "\n" not in before:  # the same words may stand on the line again
        more, here, after = after.partition(mutant.before)
        before += mutant.before + more
        places.append(text[:start] + before + mutant.after + after)
    assert mutant.text in places


@every_app
def test_every_mutant_has_a_name_of_its_own(name: str):
    found = mutants(name)
    assert [each for each, count in Counter(m.id for m in found).items() if count > 1] == []
    assert {mutant.operator for mutant in found} == set(OPERATORS)
    assert {mutant.context for mutant in found} == set(sources(name).contexts)


def with_domain(text: str) -> list[Mutant]:
    """The mutants of accounts, with this text in place of its functions' end."""
    app = sources("atelier")
    path = FIXTURES / "atelier/app/domain/accounts.py"
    texts = {**app.texts, "domain/accounts.py": path.read_text("utf-8") + text}
    return [m for m in find_mutants(read_sources(app.folder, texts)) if m.function == "odd"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("x = a < b", {("comparison", "x = a <= b")}),
        ("x = a is  not b", {("comparison", "x = a is b")}),
        ("x = a not in b", {("comparison", "x = a in b")}),
        ("x = a == b == c", {("comparison", "x = a != b == c"), ("comparison", "x = a == b != c")}),
        ("x = (a) + (b)", {("arithmetic", "x = (a) - (b)")}),
        ("x //= a", {("arithmetic", "x *= a"), ("statement", "pass")}),
        ("x = -a", {("arithmetic", "x = a")}),
        ("x = a and b or c", {("boolean", "x = a or b or c"), ("boolean", "x = a and b and c")}),
        ("x = not (a)", {("boolean", "x =  (a)")}),
        ("x = 1_000", {("constant", "x = 1001")}),
        ("x = True", {("constant", "x = False")}),
        ("x = 'é'", {("constant", "x = 'é_x'")}),
        ('x = f"é{a + 1}"', {("constant", 'x = f"é{a + 1}_x"')}),
        ("x = b if a else c", {("condition", "x = b if not (a) else c")}),
        ("x = b if a == c else c", {("comparison", "x = b if a != c else c")}),
        ("x = [b for b in a if b]", {("condition", "x = [b for b in a if not (b)]")}),
        ("a.b = c", {("statement", "pass")}),
        ("a(b, c, *d)", {("statement", "pass"), ("argument", "a(c, b, *d)")}),
        ("x = a(b, b)", set()),
        ("x = min(a, b)", set()),
        ("x: int | None = a", set()),
        ("'A text.'", set()),
        ("return a", set()),
    ],
)
def test_an_operator_changes_one_thing(line: str, wanted: set[tuple[str, str]]):
    found = with_domain(f"\n\ndef odd(a, b, c, d):\n    {line}\n")
    assert {(m.operator, m.text.splitlines()[-1].strip()) for m in found} == wanted


def test_a_return_can_go_only_where_another_way_out_is_left():
    found = with_domain("\n\ndef odd(a):\n    if a:\n        return a\n    return None\n")
    assert {(m.operator, m.before, m.after) for m in found} == {
        ("condition", "a", "not (a)"),
        ("statement", "return a", "pass"),
    }


def test_a_name_says_context_function_line_and_operator_and_lasts():
    body = "\n\ndef odd(a):\n    x = 1\n    return x + 2 + a\n"
    names = [mutant.id for mutant in with_domain(body)]
    assert names == [
        "accounts.odd.2.constant",
        "accounts.odd.3.arithmetic",
        "accounts.odd.3.arithmetic.2",
        "accounts.odd.3.constant",
    ]
    assert [mutant.id for mutant in with_domain("\n\nY = 3\n" + body)] == names


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32))
def test_a_smaller_sample_is_a_part_of_a_larger_one_and_spread_over_contexts(count, seed):
    found = mutants("atelier")
    taken = choose_mutants(found, count, seed)
    assert len(taken) == count
    assert set(taken) <= set(choose_mutants(found, count + 1, seed))
    each = Counter(mutant.context for mutant in taken)
    assert max(each.values(), default=0) - min(each.values(), default=0) <= 1 or count < len(each)
    assert taken == [mutant for mutant in found if mutant in set(taken)]


def test_a_sample_does_not_turn_with_other_code():
    found = mutants("atelier")
    taken = {mutant.id for mutant in choose_mutants(found, 60, 7)}
    fewer = [mutant for mutant in found if mutant.id in taken or mutant.function != "ranked"]
    assert {mutant.id for mutant in choose_mutants(fewer, 60, 7)} == taken


def test_another_seed_chooses_otherwise_and_the_same_one_the_same():
    found = mutants("atelier")
    taken = [tuple(m.id for m in choose_mutants(found, 60, seed)) for seed in (7, 8, 7)]
    assert taken[0] == taken[2]
    assert taken[0] != taken[1]


@pytest.mark.parametrize(("seed", "wanted"), [(7, "abd"), (8, "bce")])
def test_a_sample_is_the_same_wherever_it_is_drawn(seed: int, wanted: str):
    # The least three of `printf '7/jobs.a' | sha256sum` and so on.
    found = [replace(mutants("atelier")[0], id=f"jobs.{n}", context="jobs") for n in "abcdef"]
    assert [m.id[-1] for m in choose_mutants(found, 3, seed)] == list(wanted)


def test_without_a_number_all_are_taken():
    found = mutants("atelier")
    assert choose_mutants(found, None, 0) == found


def test_a_mutant_that_takes_the_last_call_of_a_port_away_is_still_woven():
    app = sources("atelier")
    gone = [m for m in mutants("atelier") if m.operator == "statement" and ".notify(" in m.before]
    woven, *others = weave_variants(app, [{each.path: each.text} for each in gone])
    assert others
    for tree in others:
        assert tree.keys() == woven.keys()
        for path, text in tree.items():
            if path.endswith(".py"):
                ast.parse(text)
