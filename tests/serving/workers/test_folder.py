from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from serving.workers.folder import FOLDER, run_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from serving.workers.folder import run_folder
with run_folder(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_is_gone_after_its_run_and_others_live_beside_it(tmp_path: Path) -> None:
    with run_folder(tmp_path) as one:
        with run_folder(tmp_path) as other:
            assert one != other
            assert one.is_dir()
        assert not other.exists()
        assert one.is_dir()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert len(list((tmp_path / FOLDER).iterdir())) == 1
    with run_folder(tmp_path) as folder:
        assert list((tmp_path / FOLDER).iterdir()) == [folder]
