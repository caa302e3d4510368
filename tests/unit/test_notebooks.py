"""The notebooks run from top to bottom on the results that are shipped, and on controls alone."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from harness.analysis.frame import to_frame
from harness.records import TrialRecord
from tests.records_factory import demo_trials

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))


def test_there_are_four_of_them():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


# The kernel is a process of its own with sockets that pytest sees being left to the collector.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    @pytest.mark.parametrize("study", ["reference", "simulated", "controls"])
    def test_runs_and_shows_something_in_every_code_cell_but_the_imports(
        self, path, study, monkeypatch, tmp_path
    ):
        to_frame(demo_trials(), TrialRecord).to_parquet(tmp_path / "trials.parquet")
        results = tmp_path if study == "controls" else Path("results", study).absolute()
        monkeypatch.setenv("RESULTS", str(results))
        book = nbformat.read(path, as_version=4)
        done = NotebookClient(book, timeout=120, resources={"metadata": {"path": path.parent}})
        cells = [cell for cell in done.execute().cells if cell.cell_type == "code"]
        assert all(cell.outputs for cell in cells[1:])
        assert not any(out.output_type == "error" for cell in cells for out in cell.outputs)

    def test_is_kept_without_outputs_and_reads_results_through_the_analysis_only(self, path):
        book = nbformat.read(path, as_version=4)
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code)
        text = "\n".join(cell.source for cell in code)
        assert "read_trials" in text
        assert not any(word in text for word in ("read_parquet", "read_csv", "json.load", "open("))
