"""Scope `own` in containers: the whole app runs, of which the agent sees one part."""

from collections.abc import Iterator

import pytest

from harness.errors import SandboxError
from harness.patch import Tree, make_patch, read_workspace
from harness.sandbox import Command, Sandbox, Sandboxes
from tests.own_scope import MODULES, SERVICES, Place, place
from tests.sandboxes import shell

pytestmark = pytest.mark.docker
LIMIT = 64 * 2**20


@pytest.fixture(scope="module", params=[SERVICES, MODULES], ids=["services", "modules"])
def where(request: pytest.FixtureRequest) -> Place:
    return place(*request.param)


@pytest.fixture(scope="module")
def sandbox(where: Place, containers: Sandboxes) -> Iterator[Sandbox]:
    with where.opened(containers) as opened:
        yield opened


def apply(sandbox: Sandbox, patch: bytes) -> None:
    end = sandbox.run(Command(("git", "apply", "-"), 20, stdin=patch))
    assert end.ok, end.stderr


def worked(sandbox: Sandbox, where: Place) -> Tree:
    return read_workspace(sandbox.get("/work", limit=LIMIT), where.pair.spec.unpatched).tree


def test_the_whole_app_works_and_only_a_part_of_it_is_there(sandbox: Sandbox, where: Place) -> None:
    names = shell(sandbox, "git ls-files").stdout.split()
    assert names == sorted(where.view.repository.files.entries)
    assert not set(names) & set(where.view.hidden.entries)
    up = shell(sandbox, "app up --wait 90", 120)
    assert (up.code, up.stderr) == (0, "")
    assert shell(sandbox, "app status").ok
    assert "startup complete" in shell(sandbox, "app logs").stdout
    tests = shell(sandbox, "app test -q", 120)
    assert tests.ok, tests.stdout + tests.stderr
    assert " passed" in tests.stdout
    assert shell(sandbox, "app down").ok
    assert shell(sandbox, "app status").code == 1
    assert worked(sandbox, where) == where.view.repository.files


def test_what_the_agent_changes_is_what_runs_and_the_others_see_it(
    sandbox: Sandbox, where: Place
) -> None:
    """What jobs cost, which are hidden, the catalogue says, which is not."""
    service = next(
        path
        for path in where.view.repository.files.entries
        if path.endswith("catalogue/service.py")
    )
    shell(sandbox, f"cp {service} /tmp/kept; echo 'raise RuntimeError(\"mine\")' >> {service}")
    broken = shell(sandbox, "app up --wait 90", 120)
    assert broken.code == 1
    assert 'raise RuntimeError("mine")' in broken.stderr
    shell(sandbox, f"sed s/1_250/1_350/ /tmp/kept > {service}")
    dearer = shell(sandbox, "app test -q tests/test_jobs.py -k held_for_run_and_paid", 120)
    assert "assert ('queued', 2700)" in dearer.stdout
    shell(sandbox, f"mv /tmp/kept {service}")


def test_a_solution_gives_the_same_patch_through_own_as_through_all(
    where: Place, containers: Sandboxes
) -> None:
    for name in where.task.spec.solutions:
        patch = where.task.patch("solutions", name, where.arm).read_bytes()
        base = where.bases.repository(where.pair, where.arm, where.task)
        with where.opened(containers) as own, containers.open("agent") as full:
            full.put(base.workspace_tar(), "/work")
            for each in (own, full):
                apply(each, patch)
            assert shell(own, "app test -q tests/test_catalogue.py", 120).ok
            through_own = make_patch(base, where.view.whole(worked(own, where)))
            through_all = make_patch(base, worked(full, where))
        assert through_own == through_all
        assert not through_own.is_empty


def test_without_isolation_nothing_can_be_kept(processes: Sandboxes) -> None:
    kept = place(*SERVICES).view.kept
    assert kept is not None
    with processes.open("agent") as sandbox, pytest.raises(SandboxError, match="without isolation"):
        sandbox.keep(kept)
