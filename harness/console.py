"""What is printed for people."""

from rich.console import Console


def plain(*, stderr: bool = False) -> Console:
    """Prints texts as they are: brackets in a test's name or a reason are no marks of Rich."""
    return Console(stderr=stderr, markup=False)
