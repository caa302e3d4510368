"""What a person at the terminal sees while studies run and gates are passed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from harness import build
from harness.config import AgentConfig, AgentKind, RunConfig, SandboxKind
from harness.console import plain
from harness.errors import POLICY, BadInput, PatchRefused
from harness.experiment import Sweep, regrade, run_sweep
from harness.forecast import forecast
from harness.gates import kills, parity
from harness.gates.pairs import verify_pair
from harness.gates.recording import contracts_hold, record_contracts
from harness.gates.strength import judge_mutants
from harness.gates.tasks import AGENTS, validate_tasks
from harness.locks import (
    lock,
    lock_judging,
    locked_plan,
    locked_sandbox,
    locked_verification,
)
from harness.pairs import load_pair, weave
from harness.pairs.weave import choose_mutants, find_mutants, read_app
from harness.paths import Checkout, RunPaths, StrengthPaths
from harness.plan import (
    Cell,
    Plan,
    differing,
    digest,
    expand,
    judge_anew,
    write_plan,
)
from harness.records import TrialRecord
from harness.store import Store


class ProgressDisplay:
    """Done, running, failed and the time left; one line a trial where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._guard = threading.Lock()
        self._running = 0
        self._failed = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("running {task.fields[running]}, failed {task.fields[failed]}, ETA"),
            TimeRemainingColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("preparing", total=None, running=0, failed=0)

    def planned(self, total: int, reused: int) -> None:
        if reused:
            self.console.print(f"{reused} of {total} trials are already finished and reused")
        self._progress.update(self._task, description="trials", total=total, completed=reused)

    def started(self, cell: Cell) -> None:  # noqa: ARG002 - the display counts, names no cell
        self._show(running=1)

    def retried(self, cell: Cell, why: str) -> None:
        self.console.print(f"lost to infrastructure, tried again: {cell.trial_id}: {why}")

    def broken_off(self, cell: Cell) -> None:  # noqa: ARG002 - the end of the sweep says how many
        self._show(running=-1)

    def ended(self, trial: TrialRecord) -> None:
        self._show(running=-1, failed=int(trial.status != "scored"), advance=1)
        if not self.console.is_terminal:
            outcome = "resolved" if trial.resolved else (trial.reason or trial.failure_detail or "")
            self.console.print(
                f"{trial.wall_seconds:6.1f} s  {trial.trial_id}  {outcome}", soft_wrap=True
            )

    def _show(self, *, running: int, failed: int = 0, advance: int = 0) -> None:
        with self._guard:
            self._running += running
            self._failed += failed
            self._progress.update(
                self._task, advance=advance, running=self._running, failed=self._failed
            )

    @contextmanager
    def live(self) -> Iterator[None]:
        with self._progress:
            yield


def run_study(checkout: Checkout, config: RunConfig, folder: Path) -> bool:
    """Run a study into `folder`; false where trials are lost to infrastructure."""
    build.refuse_full_disk(folder)  # which may lie on another than the checkout
    console = plain(stderr=True)
    with build.bench(config, checkout, console.print) as bench:
        paths = RunPaths(folder)
        locks = lock(bench.study, bench.sandboxes.image_digest, build.digest_folder)
        # What can be refused is refused here, before there is a folder.
        cells = _some(expand(bench.study))
        executor = build.make_executor(config, bench.stop)
        with Store(paths) as store:
            plan = write_plan(paths, config.name, locks, cells)
            display = ProgressDisplay(console)
            with display.live():
                lost = run_sweep(Sweep(bench, plan, store, executor, display), cells)
            _tell_judged_otherwise(plan, store, console)
    if lost:
        told = "are lost to infrastructure; run again to try them again"
        console.print(f"{lost} of {len(cells)} trials {told}", soft_wrap=True)
    return not lost


def _tell_judged_otherwise(plan: Plan, store: Store, console: Console) -> None:
    rows = [entry.trial for entry in store.finished.values() if entry.trial is not None]
    if old := sum(plan.judged_otherwise(row.plan_digest) for row in rows):
        told = "hold a verdict made under other locks than plan.json has now"
        console.print(f"{old} of {len(rows)} trials {told}; regrade them", soft_wrap=True)


def _some(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    if not cells:
        raise BadInput("config: no trials: no task, arm or agent is left that belong together")
    return cells


def show_forecast(checkout: Checkout, config: RunConfig) -> None:
    """Print what a run would do and cost, and run nothing."""
    cells = _some(expand(build.load_study(config, checkout)))
    table = Table("agent", "model", "trials", "input tokens", "output tokens", "USD")
    rows = list(forecast(config, cells))
    for row in rows:
        usd = "unknown" if row.usd is None else f"{row.usd[0]:,.2f} to {row.usd[1]:,.2f}"
        table.add_row(row.agent, row.model or "", str(row.trials), _range(row.input_tokens),
                      _range(row.output_tokens), usd)  # fmt: skip
    console = plain()
    console.print(table)
    for row in rows:
        if row.caps:
            by = ", ".join(row.caps)
            console.print(f"{row.agent}, {row.model}: capped by {by}", soft_wrap=True)
    for cell in cells:
        console.print(f"  {cell.trial_id}", soft_wrap=True)
    console.print(f"{len(cells)} trials; nothing was run (priors: configs/agent/*.yaml)")


def _range(tokens: tuple[int, int]) -> str:
    return f"{tokens[0]:,} to {tokens[1]:,}"


def regrade_study(
    checkout: Checkout, config: RunConfig, folder: Path, kind: SandboxKind | None = None
) -> bool:
    """Score the stored patches of `folder` again, in sandboxes of another `kind` if one is named.

    What has changed since is told. False where trials are lost to infrastructure.
    """
    console = plain(stderr=True)
    paths = RunPaths(folder)
    plan = locked_plan(paths)
    build.refuse_full_disk(folder)
    names = sorted({(cell.agent, cell.kind.value) for cell in plan.cells})
    config.agents = {name: AgentConfig(AgentKind(kind)) for name, kind in names}
    config.tasks = sorted({cell.task for cell in plan.cells})
    config.doses = sorted({cell.dose for cell in plan.cells if cell.dose is not None})
    # The same evidence and bounds as the first time, or the scores could not be compared.
    config.verification = locked_verification(paths, plan)
    locked = locked_sandbox(paths, plan)
    config.sandbox = replace(locked, kind=kind or locked.kind)
    with ExitStack() as opened:
        store = opened.enter_context(Store(paths))
        patches = _patches(plan, store, console)
        bench = opened.enter_context(build.bench(config, checkout, console.print, only_scores=True))
        image = bench.sandboxes.image_digest
        judging = lock_judging(bench.study, image, build.digest_folder)
        if changed := differing(plan.in_force, judging):
            told = f"changed since these trials were judged: {', '.join(changed)}"
            console.print(told, soft_wrap=True)
        plan = judge_anew(plan, judging)
        executor = build.make_executor(config, bench.stop)
        display = ProgressDisplay(console)
        with display.live():
            lost = regrade(Sweep(bench, plan, store, executor, display), patches)
        _tell_judged_otherwise(plan, store, console)
    if lost:
        told = "were lost to infrastructure: what they scored before stands"
        console.print(f"{lost} of {len(patches)} trials {told}", soft_wrap=True)
    return not lost


def _patches(plan: Plan, store: Store, console: Console) -> dict[str, bytes]:
    """The stored patches by trial_id; a trial without one is said and left out."""
    found: dict[str, bytes] = {}
    for cell in plan.cells:
        entry, patch = store.finished.get(cell.trial_id), store.paths.trial(cell.trial_id).patch
        if entry is None or entry.attempt.failure_cause == POLICY[PatchRefused].cause:
            # Files without a record are those of a run that was killed: nobody knows their cost.
            why = "it has not ended" if entry is None else "its work was refused as a patch"
            console.print(f"left out, {why}: {cell.trial_id}", soft_wrap=True)
        elif not patch.exists():
            console.print(f"left out, no patch.diff there: {cell.trial_id}", soft_wrap=True)
        else:
            found[cell.trial_id] = patch.read_bytes()
    if not found:
        raise BadInput(f"{store.paths.root}: no trial has its patch.diff: nothing is to be scored")
    return found


def validate_and_report(checkout: Checkout, config: RunConfig) -> bool:
    """Prove the tasks that the config names; print what is not as it must be.

    A gate that was broken off goes on, unless anything has changed that can change its outcome: a
    gate also proves the harness, whose own code counts among that.
    """
    console = plain(stderr=True)
    config.agents = dict(AGENTS)
    display = ProgressDisplay(console)
    with build.bench(config, checkout, console.print) as bench, display.live():
        executor = build.make_executor(config, bench.stop)
        locks = lock(bench.study, bench.sandboxes.image_digest, build.digest_folder)
        locks["arms"] = " ".join(config.arms)
        locks["harness"] = build.digest_folder(Path(__file__).parent)
        folder = checkout.gate(digest(locks)[:16])
        return validate_tasks(bench, executor, display, plain(), folder)


def verify_pair_and_report(checkout: Checkout, config: RunConfig, app: str) -> bool:
    """Prove an app's arms equal; print the first difference, minimised."""
    pair = load_pair(checkout, app)
    config.tasks = []
    doses = [dose for dose in (0, 1, 2) if pair.spec.dose not in (None, dose)]
    with build.bench(config, checkout, plain(stderr=True).print) as bench:
        woven = {dose: load_pair(weave.at_dose(checkout, app, dose), app) for dose in doses}
        same = verify_pair(bench, pair, plain(), woven)
        return contracts_hold(bench, pair, plain()) and same


def record_and_report(checkout: Checkout, config: RunConfig, app: str) -> None:
    """Write what the programs of an app show one another into its arms."""
    pair = load_pair(checkout, app)
    config.tasks = []
    with build.bench(config, checkout, plain(stderr=True).print) as bench:
        record_contracts(bench, pair, plain())


def strength_and_report(
    checkout: Checkout, config: RunConfig, app: str, which: tuple[int, int], out: Path | None
) -> bool:
    """Judge a sample (how many, seed) of an app's mutants; print the summary and what is wrong."""
    pair = load_pair(checkout, app)
    count, seed = which
    config.tasks = []
    paths = StrengthPaths(out or checkout.strength, app)
    mutants = find_mutants(read_app(pair.folder / "app"))
    chosen = choose_mutants(mutants, count or None, seed)
    reasons = kills.read_reasons(pair.folder / "survivors.yaml")
    say = _lines(plain(stderr=True))
    with kills.Ledger(paths.table) as ledger, build.bench(config, checkout, say) as bench:
        executor = build.make_executor(config, bench.stop)
        verdicts = judge_mutants(bench, pair, chosen, executor, ledger, say)
        ledger.arrange(verdicts, {mutant.id for mutant in mutants})
    found = kills.Findings(app, mutants, verdicts, reasons)
    told = kills.summary(found, f"seambench strength {app} --sample {count} --seed {seed}")
    paths.summary.write_text(told, encoding="utf-8")
    wrong = list(kills.problems(found))
    for line in (*told.splitlines(), *(f"  {problem}" for problem in wrong)):
        _lines(plain())(line)
    return not wrong


def _lines(console: Console) -> Callable[[str], None]:
    """Prints whole lines, without colours in them."""
    return lambda line: console.print(line, soft_wrap=True, highlight=False)


def show_parity(checkout: Checkout, config: RunConfig, app: str) -> None:
    """Print the parity report of an app."""
    pair = load_pair(checkout, app)
    config.tasks = []
    with build.bench(config, checkout, plain(stderr=True).print) as bench:
        plain().print(parity.table(app, [parity.measure(bench, pair, a) for a in pair.spec.arms]))
