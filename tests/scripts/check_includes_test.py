"""The include check passes the tree as it is and fails on each arrow planted in a copy."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_includes.py"


def check(src: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, CHECK, src], capture_output=True, text=True)


class CheckIncludes(unittest.TestCase):
    def plant(self, name: str, text: str) -> str:
        """The check's output, which must be a failure, on a copy of src/ with one file more."""
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder) / "src"
            shutil.copytree(ROOT / "src", src)
            (src / name).parent.mkdir(exist_ok=True)
            (src / name).write_text(text)
            result = check(src)
            self.assertEqual(result.returncode, 1, result.stdout)
            return result.stdout

    def test_the_tree_holds(self):
        result = check(ROOT / "src")
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_a_lower_folder_may_not_include_a_higher_one(self):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for part in ("core", "runs"):
                (src / part).mkdir()
            (src / "runs" / "b.h").write_text("")
            (src / "core" / "a.h").write_text('#include "runs/b.h"\n')
            self.assertIn("core/a.h includes runs/b.h", check(src).stdout)

    def test_siblings_may_not_include_one_another(self):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for part in ("heads", "losses"):
                (src / part).mkdir()
            (src / "losses" / "b.h").write_text("")
            (src / "heads" / "a.h").write_text('#include "losses/b.h"\n')
            self.assertIn("heads/a.h includes losses/b.h", check(src).stdout)

    def test_the_front_is_free_of_torch(self):
        self.assertIn("free of LibTorch", self.plant("core/planted.h", "#include <ATen/core/Tensor.h>\n"))

    def test_a_cuda_source_is_free_of_torch(self):
        self.assertIn("free of LibTorch", self.plant("kernels/planted.cu", "#include <c10/core/Device.h>\n"))

    def test_nobody_includes_all_of_torch(self):
        self.assertIn("narrow headers", self.plant("model/planted.cpp", "#include <torch/torch.h>\n"))

    def test_a_missing_header_is_named(self):
        self.assertIn("no such file", self.plant("core/planted.h", '#include "core/nowhere.h"\n'))

    def test_a_new_folder_must_be_given_its_level(self):
        self.assertIn("give it its level", self.plant("novel/planted.h", ""))

    def test_an_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(check(pathlib.Path(folder)).returncode, 1)


if __name__ == "__main__":
    unittest.main()
