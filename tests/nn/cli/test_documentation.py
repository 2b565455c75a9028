"""The tool's commands in the documentation, run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

from .test_commands import people, write

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def test_the_commands_of_the_page_run_as_they_stand(tmp_path):
    rows = people()
    for row in rows[1:]:
        row[4] = {"yes": "M", "no": "B"}[row[4]]
    rows[0][4] = "diagnosis"
    for name in ("patients.csv", "new.csv", "test.csv"):
        write(tmp_path / name, rows)
    block = next(text for text in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL) if "-m nn" in text)
    commands = [line.partition("#")[0].strip() for line in block.splitlines()]
    assert [command.split()[3] for command in commands] == ["train", "predict", "evaluate", "plot"]
    for command in commands:
        words = command.replace(".venv/bin/python", sys.executable, 1).split()
        environment = {"PYTHONPATH": str(PAGE.parents[1]), "PATH": ""}
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        if "train" in command:
            (tmp_path / "other.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
    assert (tmp_path / "curves.png").exists()
