"""What the Protocol promises, of everything that implements it: three wires, a replay, a script."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.agents.session import request_digest
from harness.errors import ContextOverflow, ModelFailed
from harness.llm import Answer, Request, Text, ToolCall, ToolResult, Usage
from harness.llm.protocol import Model
from harness.llm.replay import ReplayModel
from tests.wire.asking import ASK, WIRES, Open, user
from tests.wire.moves import Fail, Move, Say, Tokens, Use
from tests.wire.scripted import ScriptedModel, answer, fails

Opened = Callable[..., Model]


def spoken(move: Move) -> Answer | ModelFailed:
    """The move in words of the Protocol."""
    if isinstance(move, Fail):
        return fails(overflow=move.overflow)
    assert isinstance(move, Say)
    tokens = move.tokens
    usage = Usage(
        fresh_input=tokens.fresh, cache_read=tokens.read, cache_write=tokens.write,
        output=tokens.output, reasoning=tokens.reasoning,
    )  # fmt: skip
    calls = [
        ToolCall(id=use.id, name=use.tool, arguments=use.arguments, raw=str(use.arguments))
        for use in move.uses
        if isinstance(use.arguments, dict)
    ]
    parts = [*([Text(text=move.text)] if move.text else []), *calls]
    stop = "max_tokens" if move.cut else "refusal" if move.refuse else "end"
    return answer(parts, "tool_calls" if calls and not move.cut else stop, usage)


def asked(model: Model, request: Request) -> Answer | ModelFailed:
    try:
        return model.answer(request, deadline=60)
    except ModelFailed as error:
        return error


KINDS = [*WIRES, *(f"replay of {wire}" for wire in WIRES), "script"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wire(kind: str) -> str:
    return kind.removeprefix("replay of ")


@pytest.fixture
def opened(kind: str, play: Open) -> Opened:
    """Opens a model that does these moves, one a call of `questions`, or all of ASK."""

    def start(*moves: Move, questions: tuple[Request, ...] = ()) -> Model:
        if kind == "script":
            return ScriptedModel(map(spoken, moves), context_tokens=1000)
        model, _, _ = play(*moves)
        if kind in WIRES:
            return model
        questions = questions or (ASK,) * len(moves)
        recorded = [(request_digest(each), asked(model, each)) for each in questions]
        return ReplayModel("scripted", 1000, recorded, request_digest)

    return start


def test_it_has_the_name_and_the_context_of_the_study(opened: Opened) -> None:
    model = opened(Say("hi"))
    assert (model.name, model.context_tokens) == ("scripted", 1000)


def test_it_answers_in_order_and_counts_five_classes(opened: Opened) -> None:
    model = opened(Say("one", tokens=Tokens(7, 3, 2, 9, 4)), Say("two"), Say(""))
    answers = [model.answer(ASK, deadline=10) for _ in range(3)]
    assert [each.message.text for each in answers] == ["one", "two", ""]
    assert [each.message.role for each in answers] == ["assistant"] * 3
    assert [each.stop for each in answers] == ["end"] * 3
    assert [each.served_by for each in answers] == ["scripted"] * 3
    first = answers[0].usage
    assert first == Usage(fresh_input=7, cache_read=3, cache_write=2, output=9, reasoning=4)
    assert [each.tries[-1].status for each in answers] == ["answered"] * 3


def test_its_tool_calls_are_told_apart_and_take_their_results(opened: Opened) -> None:
    uses = (Use("bash", {"command": "ls"}, "a"), Use("bash", {"command": "pwd"}, "b"))
    both = spoken(Say("both", uses=uses))
    assert isinstance(both, Answer)
    results = user(ToolResult(call_id="a", text="x.py"), ToolResult(call_id="b", text="no"))
    messages = (*ASK.messages, both.message, results)
    more = ASK.model_copy(update={"messages": messages})
    model = opened(Say("both", uses=uses), Say("done"), questions=(ASK, more))
    first = model.answer(ASK, deadline=10)
    assert first.stop == "tool_calls"
    assert [(call.id, call.name, call.arguments) for call in first.message.tool_calls] == [
        ("a", "bash", {"command": "ls"}), ("b", "bash", {"command": "pwd"}),
    ]  # fmt: skip
    assert model.answer(more, deadline=10).message.text == "done"


def test_it_says_why_it_stopped(opened: Opened) -> None:
    cut = Say(uses=(Use("bash", {"command": "l"}),), cut=True)
    model = opened(cut, Say("", refuse=True), Say("a", cut=True))
    assert [model.answer(ASK, deadline=10).stop for _ in range(3)] == [
        "max_tokens", "refusal", "max_tokens",
    ]  # fmt: skip


@pytest.mark.parametrize(("fault", "error"), [
    (Fail(413, overflow=True), ContextOverflow), (Fail(422, told="no"), ModelFailed),
])  # fmt: skip
def test_what_fails_holds_its_tries_and_ends_nothing(
    opened: Opened, fault: Fail, error: type[ModelFailed]
) -> None:
    model = opened(fault, Say("still here"))
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=10)
    assert type(failed.value) is error
    assert [one.status != "answered" for one in failed.value.tries] == [True]
    assert model.answer(ASK, deadline=10).message.text == "still here"


def test_it_is_asked_from_many_threads_and_says_everything_once(opened: Opened) -> None:
    told = [f"answer {number}" for number in range(32)]
    model = opened(*map(Say, told))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: model.answer(ASK, deadline=60).message.text, told))
    assert sorted(answers) == sorted(told)


def test_it_can_be_closed_twice(opened: Opened) -> None:
    model = opened(Say("hi"))
    assert model.answer(ASK, deadline=10).message.text == "hi"
    for _ in range(2):
        model.close()  # raises nothing
