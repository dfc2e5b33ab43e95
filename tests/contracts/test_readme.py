"""What the README and the notebooks show is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from demo.catalogue import markdown
from models.catalog import CATALOG
from tests.small_company import write_company

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_the_table_of_models_is_the_catalogues() -> None:
    table = markdown(CATALOG.values())
    assert table in (ROOT / "README.md").read_text(), (
        f"Paste this into README.md (python -m demo.catalogue):\n{table}"
    )


def test_the_readme_begins_by_saying_where_trained_models_live() -> None:
    paragraph = (ROOT / "README.md").read_text().split("\n\n")[1]
    assert "`models/` holds definitions" in paragraph
    assert "MLflow" in paragraph
    assert "never in git" in paragraph


def test_every_folder_of_the_readmes_tree_exists() -> None:
    tree = re.search(r"```text\n(\S+/ .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree is not None
    named = [line.split()[0] for line in tree.group(1).splitlines() if line[:1].strip()]
    assert [name for name in named if not (ROOT / name).exists()] == []
    packages = {f"{path.parent.name}/" for path in ROOT.glob("*/py.typed")}
    assert packages <= set(named)


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    missing = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_was_run(notebook: Path) -> None:
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = [kind for cell in cells for output in cell.outputs for kind in output.get("data", {})]
    assert "image/png" in shown


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebooks_outputs_name_no_place_and_no_complaint(notebook: Path) -> None:
    outputs = [
        output for cell in nbformat.read(notebook, 4).cells for output in cell.get("outputs", [])
    ]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    said = [
        output.get("text", "") + output.get("data", {}).get("text/html", "") for output in outputs
    ]
    assert (
        re.findall(
            r"(?:/home|/tmp|/root|/work|/Users|site-packages|0x[0-9a-f]{6,}).*", "\n".join(said)
        )
        == []
    )


def test_the_notebooks_run_on_a_small_company(
    tmp_path: Path, machine_code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home in (".", "small-company", "changed-company"):
        (tmp_path / home).mkdir(exist_ok=True)
        (tmp_path / home / "numba").symlink_to(machine_code)
    write_company(tmp_path)
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [*command, *map(str, NOTEBOOKS)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(NOTEBOOKS)} passed" in done.stdout
