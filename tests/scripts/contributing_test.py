"""The diff in CONTRIBUTING.md that adds a loss applies to the tree as it is, and compiles: contributing_test.py BUILD."""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop())


class Contributing(unittest.TestCase):
    def test_the_diff_that_adds_a_loss_applies_and_compiles(self):
        (diff,) = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder)
            shutil.copytree(ROOT / "src", scratch / "src")
            applied = subprocess.run(["git", "apply", "-"], cwd=scratch, input=diff, text=True, capture_output=True)
            self.assertEqual(applied.returncode, 0, applied.stderr)
            commands = json.loads((BUILD / "compile_commands.json").read_text())
            entry = next(c for c in commands if "simmim_losses.dir" in c["command"])
            command = shlex.split(entry["command"].replace(str(ROOT / "src"), str(scratch / "src")))
            command[command.index("-o") + 1] = str(scratch / "losses.o")
            command[command.index("-c") + 1] = str(scratch / "src/losses/losses.cpp")
            compiled = subprocess.run(command, cwd=entry["directory"], text=True, capture_output=True)
            self.assertEqual(compiled.returncode, 0, compiled.stderr)
            self.assertIn(b"log_cosh", (scratch / "losses.o").read_bytes())


if __name__ == "__main__":
    unittest.main()
