"""The loom's gate: the committed arms and patches of an app are what its sources give."""

from harness.console import plain
from harness.pairs import weave
from harness.paths import Checkout


def weave_app(checkout: Checkout, app: str, *, check: bool) -> bool:
    """Write the arms and the tasks' patches of an app, or with `check` tell what differs.

    Returns whether everything is now as the sources give it.
    """
    woven = weave.Woven(checkout.fixtures / app, checkout.tasks / app)
    wrong = woven.differing()
    if not check:
        woven.write()
        plain().print(f"{app}: {len(woven.files)} files, {len(wrong)} of them changed")
        return True
    for path in wrong:
        why = f"not what the sources give; run `seambench weave {app}`"
        plain(stderr=True).print(f"{path}: {why}", soft_wrap=True)
    return not wrong
