"""What is printed for people."""

from rich.console import Console

TABLE_COLUMNS = 80
"""what a table of ours needs; where a terminal is narrower its lines wrap, and no column is lost"""


def plain(*, stderr: bool = False) -> Console:
    """Prints texts as they are: brackets in a test's name or a reason are no marks of Rich."""
    return Console(stderr=stderr, markup=False)


def for_tables() -> Console:
    """Prints tables, whose cells may have marks of ours, to standard output."""
    console = Console()
    console.width = max(console.width, TABLE_COLUMNS)
    return console
