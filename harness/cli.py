"""The command `seambench`. Heavy imports happen inside the commands, so that --help is quick."""

import os
import signal
import sys
from errno import ENOSPC, EPIPE
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import AppDidNotStart, BadInput, SeamBenchError
from harness.paths import Checkout, RunPaths, find_checkout

if TYPE_CHECKING:
    from harness.config import RunConfig

app = typer.Typer(invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False)
pairs = typer.Typer(invoke_without_command=True)
app.add_typer(pairs, name="pairs")

Globs = Annotated[list[str] | None, typer.Argument(help="globs over app/task; all without")]
Sandbox = Annotated[str, typer.Option(help="docker, or process (no isolation)")]
AppName = Annotated[str, typer.Argument(metavar="APP")]
Check = Annotated[bool, typer.Option("--check", help="only tell what differs; exit code 1")]
Out = Annotated[Path | None, typer.Option(help="the file; else RESULTS/report.html")]
Workers = Annotated[int, typer.Option(help="trials at once; 0: one a core")]


@app.callback()
def seambench(context: typer.Context) -> None:
    """Measure how well coding agents refactor the same software in different architectures."""
    _help_without_command(context)


@pairs.callback()
def of_pairs(context: typer.Context) -> None:
    """Look at a pair and prove its arms equal."""
    _help_without_command(context)


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)
        raise typer.Exit(2)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def run(context: typer.Context) -> None:
    """Run a study; takes Hydra overrides and flags, for instance: run experiment=demo.

    With --dry-run it prints the cells, the expected tokens and USD, and runs nothing.
    """
    from harness import terminal
    from harness.compose import run_hydra

    checkout = find_checkout()

    whole: list[bool] = []

    def carry_out(config: "RunConfig", out: Path) -> None:
        whole.append(terminal.run_study(checkout, config, out))
        _show_tables(out)

    arguments = [argument for argument in context.args if argument != "--dry-run"]
    if len(arguments) < len(context.args):
        run_hydra(arguments, checkout, lambda config, _: terminal.show_forecast(checkout, config))
        return
    run_hydra(arguments, checkout, carry_out)
    if not all(whole):
        raise typer.Exit(1)


@app.command()
def weave(app: AppName, check: Check = False) -> None:
    """Write every arm of APP, and the patches of its tasks, from fixtures/APP/app."""
    from harness.gates.weaving import weave_app

    if not weave_app(find_checkout(), app, check=check):
        raise typer.Exit(1)


@app.command()
def regrade(
    results: Path,
    sandbox: Annotated[
        str | None, typer.Option(help="docker, or process (no isolation); else as it was run")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Score the stored patches of RESULTS again, without any agent."""
    from harness import terminal

    checkout = find_checkout()
    config = _config(checkout, sandbox or "docker", workers)
    kind = config.sandbox.kind if sandbox else None
    whole = terminal.regrade_study(checkout, config, results, kind)
    _show_tables(results)
    if not whole:
        raise typer.Exit(1)


@app.command()
def validate(
    globs: Globs = None,
    sandbox: Sandbox = "docker",
    workers: Workers = 0,
    dose: Annotated[
        int | None, typer.Option(help="of couplings; else the apps as they are")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="prove on this one alone")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="while writing a task: no proof")] = False,
) -> None:
    """Prove tasks on every arm: base fails, nop fails, solutions resolve, sabotages are refused.

    With --quick there are one fresh start and 20 sequences, as in configs/verification/quick.yaml.

    With --dose the tasks are proven on the arms that this dose changes.

    Broken off, it goes on when it is run again and nothing has changed; ended, it proves anew.
    """
    from harness import terminal
    from harness.compose import check

    checkout = find_checkout()
    config = _config(checkout, sandbox, workers, *(["verification=quick"] if quick else []))
    config.tasks = globs or config.tasks
    config.doses = [] if dose is None else [dose]
    config.arms = [] if arm is None else [arm]
    check(config)
    if not terminal.validate_and_report(checkout, config):
        raise typer.Exit(1)


@app.command()
def strength(
    app_name: AppName,
    sample: Annotated[int, typer.Option(min=0, help="mutants, spread over contexts; 0: all")] = 0,
    seed: Annotated[int, typer.Option(help="which ones")] = 1,
    sandbox: Sandbox = "docker",
    workers: Workers = 0,
    out: Annotated[Path | None, typer.Option(help="folder; else results/strength")] = None,
) -> None:
    """Prove that APP's hidden suites kill mutants of its domain code, the same on every arm.

    Writes a table and a summary; a mutant that was judged before is not judged again.
    """
    from harness import terminal

    checkout = find_checkout()
    config = _config(checkout, sandbox, workers)
    if not terminal.strength_and_report(checkout, config, app_name, (sample, seed), out):
        raise typer.Exit(1)


@app.command()
def tables(results: Path) -> None:
    """Write the tables and figures of RESULTS anew from its records."""
    _show_tables(results)


@app.command()
def report(results: Path, out: Out = None) -> None:
    """Write RESULTS as one HTML page: headline, figures, and every trial to filter and open."""
    from harness.results import write_page

    write_page(results, out or RunPaths(results).report)


@app.command()
def compare(
    results: Path,
    by: Annotated[str, typer.Option(help="model, agent, arm, scope, budget or class")] = "model",
    contrast: Annotated[
        str | None, typer.Option(help="ARM-ARM or ARM:SCOPE-ARM:SCOPE; else the two farthest arms")
    ] = None,
) -> None:
    """Estimate the paired difference between two arms of RESULTS, with intervals over apps."""
    from harness.results import compare

    compare(results, by, contrast)


@app.command()
def figures(
    results: Path,
    style: Annotated[str, typer.Option(help="acm, ieee or slides")] = "acm",
    out: Annotated[Path | None, typer.Option(help="folder; else RESULTS/figures")] = None,
) -> None:
    """Draw the figures and write the tables of a paper from RESULTS, and claims.json."""
    from harness.results import draw

    draw(results, style, out)


@app.command()
def export(
    results: list[Path],
    form: Annotated[str, typer.Option("--format", help="swebench, parquet, atif or inspect")],
    out: Annotated[Path | None, typer.Option(help="folder; else RESULTS/export/FORMAT")] = None,
) -> None:
    """Write RESULTS for other tools: patches, tables with a data card, conversations or logs.

    The tables of several studies, for instance one a machine, are joined.
    """
    from harness.results import export

    export(results, form, out)


@app.command()
def engine() -> None:
    """Make sure that a container engine answers and the image is built, starting what it takes."""
    from harness.build import engine_ready

    engine_ready(say)


@app.command()
def clean() -> None:
    """Remove every image, container and volume that SeamBench made."""
    from harness.build import clean_engine

    clean_engine(say)


@pairs.command("show")
def pairs_show(app_name: AppName, sandbox: Sandbox = "docker") -> None:
    """Print the parity report of an app: code, tokens, files, endpoints and start-up by arm."""
    from harness import terminal

    checkout = find_checkout()
    terminal.show_parity(checkout, _config(checkout, sandbox, 1), app_name)


@pairs.command("verify")
def pairs_verify(
    app_name: AppName,
    sandbox: Sandbox = "docker",
    sequences: Annotated[int, typer.Option(help="generated request sequences")] = 500,
    seed: Annotated[int, typer.Option(help="seed of the generator")] = 20260101,
) -> None:
    """Prove an app's arms equal: one contract suite, the same answers, at every dose of couplings.

    What `pairs record` wrote must be what the programs answer.
    """
    from harness import terminal
    from harness.compose import check

    checkout = find_checkout()
    config = _config(checkout, sandbox, 1)
    config.verification.sequences, config.verification.seed = sequences, seed
    check(config)
    if not terminal.verify_pair_and_report(checkout, config, app_name):
        raise typer.Exit(1)


@pairs.command("record")
def pairs_record(app_name: AppName, sandbox: Sandbox = "docker") -> None:
    """Write the contracts of an app's programs, OpenAPI and interactions, as they answer now."""
    from harness import terminal

    checkout = find_checkout()
    terminal.record_and_report(checkout, _config(checkout, sandbox, 1), app_name)


def _show_tables(folder: Path) -> None:
    # pandas, scipy and matplotlib take two seconds: a typo in a study is told before.
    from harness.results import show_tables

    show_tables(folder)


def _config(checkout: Checkout, sandbox: str, workers: int, *words: str) -> "RunConfig":
    """The shipped defaults with a sandbox, a number of workers and what else is said."""
    from harness.compose import compose

    return compose([f"sandbox={sandbox}", f"executor.workers={workers}", *words], checkout)


def say(line: str) -> None:
    """One line to the person at the terminal; results go to stdout, words to stderr."""
    typer.echo(line, err=True)


def _listen() -> None:
    """What ends a job of a batch system or a lost terminal does as Ctrl-C: what is paid is kept."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_DFL:  # nohup ignores one
            signal.signal(each, signal.default_int_handler)


def main() -> None:
    """Entry point: one clear line and exit code 2 for bad input, 1 for broken infrastructure."""
    _listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal may have no sign for what we print
            stream.reconfigure(errors="replace")
    try:
        code = _run_app()
    except typer.TyperException as error:
        say(f"seambench: {' '.join(error.format_message().split())} ({_where_to_look(error)})")
        sys.exit(2)
    except BadInput as error:
        _fail(error, 2)
    except SeamBenchError as error:
        _fail(error, 1)
    except OSError as error:
        if error.errno not in {ENOSPC, EPIPE}:
            raise
        with Path(os.devnull).open("wb") as nowhere:  # else what is left is tried again at exit
            os.dup2(nowhere.fileno(), 1)
        if error.errno == ENOSPC:
            say(f"seambench: {error.filename or 'standard output'}: {error.strerror}")
        sys.exit(1)
    if code == 130:  # what typer makes of Ctrl-C
        say("seambench: stopped; finished trials are kept, run the same command to go on")
    sys.exit(code)


def _run_app() -> int:
    """Run the command; what it printed is out when this ends, or OSError says why not."""
    try:
        return app(standalone_mode=False) or 0
    finally:
        sys.stdout.flush()


def _where_to_look(error: typer.TyperException) -> str:
    # Only errors of usage have it, and their class has no public name.
    command = getattr(getattr(error, "ctx", None), "command_path", "seambench")
    return f"see {command} --help"


def _fail(error: SeamBenchError, code: int) -> None:
    if isinstance(error, AppDidNotStart):
        say("\n".join(error.log_tail.splitlines()[-20:]))
    say(f"seambench: {error}")
    sys.exit(code)


if __name__ == "__main__":
    main()
