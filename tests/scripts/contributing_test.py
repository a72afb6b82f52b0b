"""The diffs in CONTRIBUTING.md that add a head and a loss apply to the tree as it is, and compile: contributing_test.py BUILD."""
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
    def test_the_diffs_that_add_a_head_and_a_loss_apply_and_compile(self):
        diffs = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
        commands = json.loads((BUILD / "compile_commands.json").read_text())
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder)
            shutil.copytree(ROOT / "src", scratch / "src")
            for diff, (family, name) in zip(diffs, [("heads", b"conv"), ("losses", b"log_cosh")], strict=True):
                applied = subprocess.run(["git", "apply", "-"], cwd=scratch, input=diff, text=True, capture_output=True)
                self.assertEqual(applied.returncode, 0, applied.stderr)
                entry = next(c for c in commands if f"simmim_{family}.dir" in c["command"])
                command = shlex.split(entry["command"].replace(str(ROOT / "src"), str(scratch / "src")))
                command[command.index("-o") + 1] = str(scratch / f"{family}.o")
                command[command.index("-c") + 1] = str(scratch / f"src/{family}/{family}.cpp")
                compiled = subprocess.run(command, cwd=entry["directory"], text=True, capture_output=True)
                self.assertEqual(compiled.returncode, 0, compiled.stderr)
                self.assertIn(name, (scratch / f"{family}.o").read_bytes())


if __name__ == "__main__":
    unittest.main()
