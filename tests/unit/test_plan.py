"""Cells and the lock."""

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.agents.spend import Spend
from harness.build import digest_folder, make_agents
from harness.config import (
    AgentConfig,
    AgentKind,
    BudgetConfig,
    CacheLifetime,
    ModelConfig,
    PriceConfig,
    RunConfig,
    SandboxConfig,
    SandboxKind,
    ThinkingMode,
    TierConfig,
    VerificationConfig,
)
from harness.errors import BadInput
from harness.locks import ASKING, SHOWING, lock, locked_sandbox, locked_verification
from harness.pairs import load_pairs
from harness.paths import Checkout, RunPaths, find_checkout
from harness.plan import (
    Plan,
    Study,
    expand,
    judge_anew,
    played_agent,
    read_plan,
    save_plan,
    write_plan,
)
from harness.scoring import job
from harness.tasks import load_tasks
from harness.trial import agent_key
from tests.benches import edit
from tests.records_factory import trial
from tests.samples import make_checkout

AGENTS = {kind.value: AgentConfig(kind) for kind in AgentKind}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(make_checkout(tmp_path_factory.mktemp("checkout")))


def study(checkout: Checkout, **changes: object) -> Study:
    values = {"name": "t", "agents": AGENTS, "sandbox": SandboxConfig(SandboxKind.process)}
    config = RunConfig(**(values | changes))  # type: ignore[arg-type]
    pairs = load_pairs(checkout)
    return Study(config, pairs, tuple(load_tasks(checkout, pairs, ["*/*"])))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), repeats=st.integers(1, 5))
def test_every_combination_is_there_once_and_arms_stay_together(
    checkout: Checkout, seed: int, repeats: int
) -> None:
    cells = expand(study(checkout, seed=seed, repeats=repeats))
    assert len({cell.trial_id for cell in cells}) == len(cells) == 2 * 3 * repeats
    for first, second in zip(cells[::2], cells[1::2], strict=True):
        assert {first.arm, second.arm} == {"one", "two"}
        assert (first.task, first.agent, first.repeat) == (second.task, second.agent, second.repeat)
        assert (first.variant, first.seed) == (second.variant, second.seed)


def test_the_order_is_a_function_of_the_seed(checkout: Checkout) -> None:
    runs = [expand(study(checkout, seed=s, repeats=4)) for s in (1, 1, 2)]
    ids = [[c.trial_id for c in cells] for cells in runs]
    assert ids[0] == ids[1] != ids[2]
    # The ids of two seeds differ by themselves; what they stand for is the same, in another order.
    order = [[(c.task, c.arm, c.agent, c.repeat) for c in cells] for cells in runs]
    assert order[0] == order[1] != order[2]
    assert sorted(order[0]) == sorted(order[2])


def test_blocks_are_shuffled_and_neither_arm_is_always_first(checkout: Checkout) -> None:
    nop = {"nop": AgentConfig(AgentKind.nop)}
    runs = [expand(study(checkout, agents=nop, seed=s, repeats=20)) for s in (1, 2)]
    orders = [[cell.repeat for cell in cells[::2]] for cells in runs]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    assert len({tuple(order) for order in (*orders, range(20))}) == 3
    for cells in runs:
        assert {cell.arm for cell in cells[::2]} == {"one", "two"}


def test_over_the_repeats_every_sabotage_has_its_turn(checkout: Checkout) -> None:
    cells = expand(study(checkout, repeats=3))
    played = Counter(cell.variant for cell in cells if cell.agent == "sabotage")
    assert played == {"hollow": 2, "broken": 2, "tampered": 2}


def test_which_sabotage_a_task_gets_depends_on_nothing_else_that_is_chosen() -> None:
    checkout = find_checkout()
    pairs = load_pairs(checkout)

    def played(*globs: str) -> dict[str, str | None]:
        config = RunConfig(name="t", agents={"sabotage": AgentConfig(AgentKind.sabotage)})
        chosen = Study(config, pairs, tuple(load_tasks(checkout, pairs, list(globs))))
        return {cell.task: cell.variant for cell in expand(chosen)}

    everything = played("*/*")
    assert played("atelier/p*").items() <= everything.items()
    assert played("quayside/*").items() <= everything.items()
    tasks = {task.id: task.spec.sabotages for task in load_tasks(checkout, pairs, ["*/*"])}
    factors = Counter(tasks[task][name or ""].fails for task, name in everything.items())
    assert min(factors[f] for f in ("behaviour", "structure", "contract", "integrity")) >= 4


def test_an_unknown_variant_or_arm_is_named_with_what_there_is(checkout: Checkout) -> None:
    oracle = {"oracle": AgentConfig(AgentKind.oracle, variant="fancy")}
    with pytest.raises(BadInput, match="unknown oracle variant 'fancy'; there is: plain"):
        expand(study(checkout, agents=oracle))
    with pytest.raises(BadInput, match="arms: unknown arm 'three'; there is: one, two"):
        expand(study(checkout, arms=["three"]))


def test_a_plan_grows_by_new_cells_and_keeps_the_old(checkout: Checkout, tmp_path: Path) -> None:
    paths, locks = RunPaths(tmp_path), {"image": "a"}
    few, many = expand(study(checkout)), expand(study(checkout, repeats=2))
    write_plan(paths, "t", locks, few)
    write_plan(paths, "t", locks, many)
    plan = write_plan(paths, "t", locks, few)
    assert read_plan(paths) == plan
    assert plan.cells[: len(few)] == few
    assert {cell.trial_id for cell in plan.cells} == {cell.trial_id for cell in many}


def test_a_changed_input_is_refused_by_name(checkout: Checkout, tmp_path: Path) -> None:
    paths, cells = RunPaths(tmp_path), expand(study(checkout))
    write_plan(paths, "t", {"image": "a", "app/tally": "b"}, cells)
    with pytest.raises(BadInput, match="changed since these results were made: app/tally; choose"):
        write_plan(paths, "t", {"image": "a", "app/tally": "c"}, cells)


def test_the_code_that_judges_and_what_asks_a_model_are_locked(checkout: Checkout) -> None:
    asking = {"tool_loop": AgentConfig(AgentKind.tool_loop)}
    models = {"m": ModelConfig(wire="openai-chat", model="x", context_tokens=4096)}
    oracle = {"oracle": AgentConfig(AgentKind.oracle)}
    alone = lock(study(checkout, agents=oracle), "image", str)
    locks = lock(study(checkout, agents=asking, models=models), "image", str)
    assert alone["verifier"] == job.verifier_digest()
    assert alone["scoring"].endswith("scoring")
    assert locks.keys() - alone.keys() >= {"agent/tool_loop", "model/m", "sdk/openai"}
    assert locks["sdk/openai"] == version("openai")
    assert (locks["scaffolds"][-7:], locks["llm"][-4:]) == ("/agents", "/llm")
    assert locks.keys() >= {"scaffolds/globs", "scaffolds/reach"}  # of the verifier, and used there
    assert not any(name.startswith(("sdk/", "scaffolds", "llm")) for name in alone)
    assert "prompt/tool_loop_task.j2" in locks


def test_what_scaffolds_use_of_the_verifier_is_locked_with_them_and_stands_alone() -> None:
    used = {name for path in ASKING["scaffolds"].glob("*.py") for name in imported(path)}
    assert {name for name in used if name.startswith("harness.verifier.")} == {
        part.__name__ for part in SHOWING.values()
    }
    for part in SHOWING.values():
        assert not {
            name for name in imported(Path(str(part.__file__))) if name.startswith("harness")
        }


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports from; with a dot before them from beside it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield "harness." * bool(node.level) + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_suites_that_an_app_has_from_another_are_locked(tmp_path: Path) -> None:
    there = Checkout(make_checkout(tmp_path))
    for folder in (there.fixtures, there.tasks):
        shutil.copytree(folder / "tally", folder / "twin")
    edit(there.tasks / "twin/rename/task.yaml", "app: tally", "app: twin")
    lent = "app: twin\ncontract: ../tally/contract\nvisible_tests: ../tally/tests"
    edit(there.fixtures / "twin/pair.yaml", "app: tally", lent)
    before = lock(study(there), "image", digest_folder)
    assert not before.keys() & {"contract/tally", "tests/tally"}  # its own folder has them
    for suite in ("contract", "tests"):
        shutil.rmtree(there.fixtures / "twin" / suite)
        alone = lock(study(there), "image", digest_folder)
        (there.fixtures / "tally" / suite / "new.py").touch()
        after = lock(study(there), "image", digest_folder)
        changed = {name for name in after if after[name] != alone[name]}
        assert changed == {"app/tally", f"{suite}/twin"}


def test_every_setting_of_a_model_is_locked(checkout: Checkout) -> None:
    changes: dict[str, object] = {
        "wire": "anthropic",
        "model": "y",
        "context_tokens": 8192,
        "bytes_per_token": 3.0,
        "embedded": True,
        "base_url": "http://127.0.0.1:1",
        "key_env": "KEY",
        "max_concurrency": 9,
        "temperature": 0.5,
        "thinking": ThinkingMode.disabled,
        "thinking_tokens": 1024,
        "effort": "high",
        "cache": CacheLifetime.long,
        "seed": 7,
        "extra": {"top_p": 0.9},
        "price": PriceConfig(tiers=[TierConfig(1.0, 0.1, 1.25, 5.0)]),
    }
    assert changes.keys() == {each.name for each in fields(ModelConfig)}
    plain = ModelConfig(wire="openai-chat", model="x", context_tokens=4096)
    oracle = {"oracle": AgentConfig(AgentKind.oracle)}  # one that asks locks the wire's SDK, too

    def locked(model: ModelConfig) -> dict[str, str]:
        return lock(study(checkout, agents=oracle, models={"m": model}), "image", str)

    before = locked(plain)
    for name, value in changes.items():
        after = locked(replace(plain, **{name: value}))  # type: ignore[arg-type]
        assert {key for key in after if after[key] != before[key]} == {"model/m"}, name


def recorded(checkout: Checkout, home: Path, name: str, answer: str) -> Study:
    """A replay of a study whose first trial was answered so."""
    models = {"m": ModelConfig()}
    asking = {"tool_loop": AgentConfig(AgentKind.tool_loop)}
    cells = expand(study(checkout, agents=asking, models=models))
    paths = RunPaths(home / name)
    write_plan(paths, name, {}, cells)
    said = paths.trial(cells[0].trial_id).trajectory
    said.parent.mkdir(parents=True)
    said.write_text(answer)
    replay = {"again": AgentConfig(AgentKind.replay)}
    return study(checkout, agents=replay, replay_from=str(paths.root))


def test_another_record_of_the_same_trials_is_refused_by_name(
    checkout: Checkout, tmp_path: Path
) -> None:
    one, other = (recorded(checkout, tmp_path, name, name) for name in "ab")
    assert expand(one) == expand(other)
    locks = lock(one, "image", str)
    assert locks.keys() >= {"scaffolds", "llm", "prompt/tool_loop_task.j2"}
    paths, (cell,) = RunPaths(tmp_path / "again"), expand(one)
    write_plan(paths, "again", locks, [cell])
    write_plan(paths, "again", lock(one, "image", str), [cell])
    with pytest.raises(BadInput, match=f"these results were made: record/{cell.variant}; choose"):
        write_plan(paths, "again", lock(other, "image", str), [cell])


def test_a_replay_locks_nothing_that_only_asking_a_model_takes(
    checkout: Checkout, tmp_path: Path
) -> None:
    again = recorded(checkout, tmp_path, "a", "on")
    models = {"m": ModelConfig(wire="openai-chat", model="x", context_tokens=4096, embedded=True)}
    locks = lock(replace(again, config=replace(again.config, models=models)), "image", str)
    assert {"scaffolds", "model/m"} <= locks.keys()
    assert not [name for name in locks if name.startswith("sdk/")]


def test_a_replay_of_any_name_is_found_for_its_cells(checkout: Checkout, tmp_path: Path) -> None:
    again = recorded(checkout, tmp_path, "a", "on")
    with ExitStack() as stack:
        made = make_agents(again.config, Spend(), stack)
    (cell,) = expand(again)
    assert [*made] == [agent_key(cell.agent, cell.kind, cell.model)] == ["again"]


def test_a_replay_knows_the_agent_that_it_plays_whatever_the_names_are(
    checkout: Checkout, tmp_path: Path
) -> None:
    asking = dict.fromkeys(["tool_loop", "one-m-two", "m"], AgentConfig(AgentKind.tool_loop))
    models = {"m": ModelConfig(), "lab/m": ModelConfig()}
    budgets = ["32k", "full"]
    cells = expand(study(checkout, agents=asking, models=models, context_budgets=budgets))
    paths = RunPaths(tmp_path)
    write_plan(paths, "source", {}, cells)
    for cell in cells:
        said = paths.trial(cell.trial_id).trajectory
        said.parent.mkdir(parents=True)
        said.touch()
    replay = {"again": AgentConfig(AgentKind.replay)}
    played = expand(study(checkout, agents=replay, replay_from=str(tmp_path)))
    rows = [trial(task=c.task, arm=c.arm, model=c.model, variant=c.variant) for c in played]
    assert [*map(played_agent, rows)] == [cell.agent for cell in cells]
    assert played_agent(trial(model="m", variant="5d41402abc4b")) is None


def test_settings_of_a_model_are_the_same_in_any_order(checkout: Checkout, tmp_path: Path) -> None:
    def locked(**extra: object) -> dict[str, str]:
        model = ModelConfig(wire="openai-chat", model="x", context_tokens=4096, extra=extra)
        return lock(study(checkout, models={"m": model}), "image", str)

    paths = RunPaths(tmp_path)
    first = write_plan(paths, "t", locked(top_p=0.9, top_k=1), ())
    again = write_plan(paths, "t", locked(top_k=1, top_p=0.9), ())
    assert again == first
    for extra in ({"top_p": 0.8, "top_k": 1}, {"top_p": 0.9, "top_k": True}, {"top_p": 0.9}):
        with pytest.raises(BadInput, match="since these results were made: model/m; choose"):
            write_plan(paths, "t", locked(**extra), ())


def test_another_image_is_another_lock_and_no_other_lock_is_another(checkout: Checkout) -> None:
    one, other = (lock(study(checkout), image, str) for image in "ab")
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} == {"image"}


def test_the_verifier_is_locked_by_the_content_of_its_files(tmp_path: Path) -> None:
    package = Path(harness.__file__).parent
    shutil.copytree(package, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    asked = "from harness.scoring import job; print(job.verifier_digest())"

    def found() -> str:
        argv = [sys.executable, "-B", "-c", asked]
        env = {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert found() == job.verifier_digest()
    # As long as before: neither names nor sizes tell it.
    edit(
        tmp_path / "harness/verifier/job.py", "LARGEST_FILE = 1_000_000", "LARGEST_FILE = 1_000_001"
    )
    assert found() != job.verifier_digest()


def test_verdicts_of_a_version_that_locked_no_verifier_are_regraded_first(tmp_path: Path) -> None:
    paths, old = RunPaths(tmp_path), {"image": "a", "budget": "b"}
    judging = {"image": "a", "verifier": "v", "scoring": "s"}
    plan = write_plan(paths, "t", old, ())
    with pytest.raises(BadInput, match="other locks: scoring, verifier; regrade them or choose"):
        write_plan(paths, "t", old | judging, ())
    regraded = judge_anew(plan, judging)
    assert regraded.judged_otherwise(plan.digest)
    save_plan(paths, regraded)
    grown = write_plan(paths, "t", old | judging | {"task/new": "n"}, ())
    assert (grown.locks, grown.judged) == (old | {"task/new": "n"}, regraded.judged)
    assert not grown.judged_otherwise(regraded.digest)  # nothing but an input more
    assert grown.judged_otherwise(plan.digest)
    assert grown.judged_otherwise("unknown")


@pytest.mark.parametrize("name", ["verifier", "scoring"])
def test_a_study_whose_verifier_or_scorers_have_changed_goes_on_after_a_regrade(
    tmp_path: Path, name: str
) -> None:
    paths, judging = RunPaths(tmp_path), {"image": "a", "verifier": "v", "scoring": "s"}
    first = write_plan(paths, "t", judging | {"verification": "3"}, ())
    changed = judging | {name: "new"}
    with pytest.raises(BadInput, match=f"under other locks: {name}; regrade them or choose"):
        write_plan(paths, "t", changed, ())
    regraded = judge_anew(first, changed)
    save_plan(paths, regraded)
    grown = write_plan(paths, "t", changed | {"task/new": "n"}, ())
    assert (grown.locks[name], grown.in_force[name]) == (judging[name], "new")
    assert not grown.judged_otherwise(regraded.digest)
    assert grown.judged_otherwise(first.digest)
    with pytest.raises(BadInput, match=f"under other locks: {name}; regrade them or choose"):
        write_plan(paths, "t", judging, ())
    # A regrade judges by the evidence of the plan, so it would not help here.
    with pytest.raises(BadInput, match="since these results were made: verification; choose"):
        write_plan(paths, "t", changed | {"verification": "1"}, ())


LOCKS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), min_size=1)


@given(locks=LOCKS, regrades=st.lists(LOCKS, max_size=3))
def test_whatever_is_judged_anew_every_digest_says_what_it_stands_for(
    locks: dict[str, str], regrades: list[dict[str, str]]
) -> None:
    plans = [Plan(name="t", locks=locks, cells=())]
    for judging in regrades:
        plans.append(judge_anew(plans[-1], judging))
    last = plans[-1]
    for plan in plans:
        assert (last.earlier | {last.digest: last.in_force})[plan.digest] == plan.in_force
    assert judge_anew(last, last.in_force) == last
    assert judge_anew(last, locks).digest == plans[0].digest


def test_what_a_study_may_spend_changes_no_result(checkout: Checkout) -> None:
    def locked(**budget: object) -> dict[str, str]:
        return lock(study(checkout, budget=BudgetConfig(**budget)), "image", str)

    assert locked(study_usd=5.0, attempts=1) == locked(study_tokens=10, attempts=3)
    assert locked(study_agent_seconds=60.0) == locked(study_wall_seconds=60.0)
    assert locked(turns=5) != locked(turns=6)


@pytest.mark.parametrize("changed", [{"format": 2}, {"format": 2, "new": 1}])
def test_a_plan_of_another_version_is_told(
    checkout: Checkout, tmp_path: Path, changed: dict[str, int]
) -> None:
    paths = RunPaths(tmp_path)
    plan = write_plan(paths, "t", {}, expand(study(checkout)))
    paths.plan.write_text(json.dumps(plan.model_dump(mode="json") | changed))
    with pytest.raises(BadInput, match=r"plan\.json: made by another version of SeamBench"):
        read_plan(paths)


def test_the_evidence_of_a_plan_is_read_or_named(checkout: Checkout, tmp_path: Path) -> None:
    config = VerificationConfig(starts=2, sequences=7, seed=3)
    locks = lock(study(checkout, verification=config), "sha256:1", lambda _: "d")
    plan = write_plan(RunPaths(tmp_path), "t", locks, ())
    assert locked_verification(RunPaths(tmp_path), plan) == config
    for spoilt in ("", "{", "[]", "{}x", '{"starts": "two"}', '{"starts": 0}', "null"):
        with pytest.raises(BadInput, match=r"plan\.json: locks\.verification: must hold"):
            locked_verification(
                RunPaths(tmp_path), plan.model_copy(update={"locks": {"verification": spoilt}})
            )
    with pytest.raises(BadInput, match=r"plan\.json: locks\.verification"):
        locked_verification(RunPaths(tmp_path), plan.model_copy(update={"locks": {}}))


def test_the_sandboxes_of_a_plan_are_read_or_named(checkout: Checkout, tmp_path: Path) -> None:
    sandbox = SandboxConfig(SandboxKind.docker, memory_mb=1024, cpus=1.5)
    locks = lock(study(checkout, sandbox=sandbox), "sha256:1", lambda _: "d")
    plan = write_plan(RunPaths(tmp_path), "t", locks, ())
    assert locked_sandbox(RunPaths(tmp_path), plan) == sandbox
    for spoilt in ({}, {"sandbox": "{}"}, {"sandbox": '{"kind": "podman"}'}):
        with pytest.raises(BadInput, match=r"plan\.json: locks\.sandbox: must hold kind"):
            locked_sandbox(RunPaths(tmp_path), plan.model_copy(update={"locks": spoilt}))


def test_a_damaged_plan_is_named_with_its_field(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": 1, "name": "x", "locks": {}}')
    with pytest.raises(BadInput, match=r"plan\.json: cells: Field required"):
        read_plan(RunPaths(tmp_path))
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(BadInput, match=r"plan\.json: file: Invalid JSON"):
        read_plan(RunPaths(tmp_path))


def test_a_cell_says_whose_behaviour_its_app_has_and_keeps_its_name(tmp_path: Path) -> None:
    there = Checkout(make_checkout(tmp_path))
    own = expand(study(there))
    assert {cell.behaviour_of for cell in own} == {"tally"}
    twin = tmp_path / "fixtures/twin"
    shutil.copytree(tmp_path / "fixtures/tally", twin)
    shutil.rmtree(twin / "contract")
    told = (twin / "pair.yaml").read_text().replace("app: tally", "app: twin")
    (twin / "pair.yaml").write_text(told + "contract: ../tally/contract\n")
    assert load_pairs(there)["twin"].spec.behaviour_of == "tally"
    edit(tmp_path / "fixtures/tally/pair.yaml", "app: tally", "app: tally\nbehaviour: twin")
    lent = expand(study(there))
    assert {cell.behaviour_of for cell in lent} == {"twin"}
    assert [cell.trial_id for cell in lent] == [cell.trial_id for cell in own]


def test_the_two_pairs_of_one_behaviour_are_told_from_their_contract() -> None:
    pairs = load_pairs(find_checkout())
    assert pairs["atelier-handmade"].spec.behaviour_of == "atelier"
    assert pairs["atelier"].spec.behaviour_of == "atelier"


def test_a_name_with_a_separator_makes_no_folder_within_a_folder(checkout: Checkout) -> None:
    agents = {"lab/nop": AgentConfig(AgentKind.nop)}
    ids = [cell.trial_id for cell in expand(study(checkout, agents=agents))]
    assert len(ids) == len(set(ids)) == 2
    assert not any("/" in name for name in ids)


def test_long_names_are_cut_and_told_apart_by_the_digest(checkout: Checkout) -> None:
    agents = {200 * "é" + last: AgentConfig(AgentKind.nop) for last in "ab"}
    ids = [cell.trial_id for cell in expand(study(checkout, agents=agents))]
    assert len(ids) == len(set(ids)) == 4
    assert all(len(name.encode()) < 255 for name in ids)


def dosed(checkout: Checkout, **changes: object) -> Study:
    """The small study at doses 0 and 2; its pair is not woven, so both are the pair as it is."""
    one = study(checkout, doses=[0, 2], **changes)
    return replace(one, doses={0: one, 2: one})


def test_doses_are_crossed_and_told_apart(checkout: Checkout) -> None:
    plain, cells = expand(study(checkout)), expand(dosed(checkout))
    assert Counter(cell.dose for cell in cells) == {0: len(plain), 2: len(plain)}
    assert len({cell.trial_id for cell in cells}) == len({cell.cell_id for cell in cells}) == 12
    assert not {cell.cell_id for cell in plain} & {cell.cell_id for cell in cells}
    for first, second in zip(cells[::2], cells[1::2], strict=True):
        assert (first.dose, first.task) == (second.dose, second.task)


def test_every_dose_has_its_own_locks(checkout: Checkout) -> None:
    locks = lock(dosed(checkout), "image", lambda folder: folder.name)
    assert locks["app/tally@dose0"] == locks["app/tally"]
    assert locks["task/tally/rename@dose2"] == locks["task/tally/rename"]
    assert "app/tally@dose1" not in locks


def test_a_dose_that_the_config_does_not_name_is_refused(checkout: Checkout) -> None:
    with pytest.raises(BadInput, match="config: doses: unknown dose '1'; there is: 0, 2"):
        dosed(checkout).at(1)


def test_own_on_an_arm_without_contracts_is_refused_before_anything_runs(
    checkout: Checkout,
) -> None:
    asking = {"tool_loop": AgentConfig(AgentKind.tool_loop)}
    models = {"m": ModelConfig()}
    with pytest.raises(BadInput, match=r"pair\.yaml: arms\.\w+\.contracts: none"):
        expand(study(checkout, agents=asking, models=models, scopes=["all", "own"]))
    assert expand(study(checkout, agents=asking, models=models, scopes=["all"]))
