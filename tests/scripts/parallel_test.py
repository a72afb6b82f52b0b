"""Several processes that share one run, started by mpirun as a user starts them: parallel_test.py PROGRAM.

Exits 77 (skipped) where MPI or the plug-in for it is missing, after the tests that need none.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
HAS_MPI = shutil.which("mpirun") is not None and os.path.exists(os.path.join(os.path.dirname(PROGRAM), "libsimmim_mpi.so"))
# Open MPI sleeps twice the grace between TERM and KILL after any failure, even if all are gone by then. Nothing is bound
# to a core, there may be too few.
MPIRUN = ("mpirun --allow-run-as-root --oversubscribe --bind-to none --mca odls_base_sigkill_timeout 2 "
          "--mca btl self,vader -n").split()
TINY = ("encoder.dim=32 encoder.depth=1 encoder.heads=2 data.limit=128 data.workers=0 pretrain.epochs=2 "
        "pretrain.batch_size=32 pretrain.warmup_epochs=0.5 finetune.epochs=2 finetune.batch_size=32 "
        "finetune.warmup_epochs=0.5").split()
EXACT = TINY + ["precision=f64", "pretrain.log_steps=1", "finetune.log_steps=1"]
# Long enough to be stopped, with a checkpoint every step.
ENDLESS = ["pretrain"] + EXACT + ["pretrain.epochs=2000", "pretrain.save_steps=1", "pretrain.val_epochs=0"]
SECONDS = 60
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="simmim-parallel-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, ranks, words, out, **variables):
        line = (MPIRUN + [str(ranks)] if ranks > 1 else []) + [PROGRAM] + words
        env = dict(os.environ, SIMMIM_OUT=str(self.folder / out), SIMMIM_THREADS="1", OMP_WAIT_POLICY="passive", **variables)
        process = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        alarm = threading.Timer(SECONDS, self.kill, [process])  # a case that hangs fails, and leaves nothing behind
        alarm.start()
        self.addCleanup(alarm.join)
        self.addCleanup(alarm.cancel)
        self.addCleanup(self.kill, process)
        return process

    def kill(self, process):
        if process.poll() is not None:
            return
        with contextlib.suppress(OSError):  # gone meanwhile
            for child in self.children(process.pid):
                os.kill(child, signal.SIGKILL)
        process.kill()

    def children(self, pid):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def read_until(self, process, text):
        lines = ""
        while text not in lines:
            line = process.stderr.readline()
            self.assertTrue(line, lines)
            lines += line

    def finish(self, process):
        process.out, process.err = process.communicate()
        return process

    def run_it(self, ranks, words, out, **variables):
        return self.finish(self.start(ranks, words, out, **variables))

    def done(self, ranks, words, out):
        got = self.run_it(ranks, words + ["--json"], out)
        self.assertEqual(got.returncode, 0, got.err)
        return json.loads(got.out)["id"]

    def run_folder(self, out):
        return next((self.folder / out / "runs").glob("[0-9a-f]*"))

    def record(self, out):
        return json.loads((self.run_folder(out) / "run.json").read_text())

    def journal(self, out):
        return [json.loads(line) for line in (self.run_folder(out) / "metrics.jsonl").read_text().splitlines()]

    def assert_same_curves(self, one, other, tolerance):
        self.assertEqual(len(one), len(other))
        self.assertGreaterEqual(len(one), 8)
        for a, b in zip(one, other):
            self.assertEqual(a.keys(), b.keys())
            for key in a.keys() - {"seconds", "images_per_second", "data_wait"}:
                self.assertLessEqual(abs(a[key] - b[key]), tolerance * (1 + abs(a[key])), f"{key} of step {a['step']}")

    def assert_same_as_alone(self, ranks, words, tolerance=1e-10):
        run = self.done(1, words, "alone")
        for n in ranks:
            out = f"ranks{n}"
            self.assertEqual(self.done(n, words, out), run)  # the number of processes is no part of what a run is
            self.assert_same_curves(self.journal("alone"), self.journal(out), tolerance)
            self.assertEqual(self.record(out)["attempts"][-1]["environment"]["processes"], n)
            self.assertEqual(self.record(out)["summary"]["images_seen"], self.record("alone")["summary"]["images_seen"])

    def assert_said_once(self, ranks, words, code, text, **variables):
        got = self.run_it(ranks, words, "out", **variables)
        self.assertEqual(got.returncode, code, got.err)
        self.assertEqual(got.err.count(text), 1, got.err)
        self.assertEqual(got.err.count("simmim: "), 1, got.err)


@unittest.skipUnless(HAS_MPI, "no MPI here")
class Parallel(Case):
    def test_ranks_learn_what_one_process_learns(self):
        self.assert_same_as_alone([2, 4], ["pretrain"] + EXACT + ["encoder.depth=2", "encoder.drop_path=0.3"])

    def test_ranks_learn_the_same_on_swin_with_masks_of_different_sizes(self):
        self.assert_same_as_alone([2], "pretrain encoder.preset=swin_nano encoder.dim=16 mask.name=blockwise mask.patch=8 "
                                  "mask.ratio=0.4 precision=f64 pretrain.log_steps=1 data.limit=128 data.workers=0 "
                                  "pretrain.epochs=2 pretrain.batch_size=32 pretrain.warmup_epochs=0.5".split())

    def test_ranks_learn_the_same_in_pieces_and_computing_twice(self):
        self.assert_same_as_alone([2], ["pretrain"] + EXACT + ["pretrain.accumulate=3", "encoder.checkpointing=true"])

    def test_ranks_fine_tune_the_same_with_mixed_images_and_averaged_weights(self):
        self.assert_same_as_alone([2, 3], ["finetune", "--from", "scratch"] + EXACT + [
            "finetune.mixup=0.8", "finetune.cutmix=1", "finetune.ema=0.9", "data.limit=192", "finetune.batch_size=36"])

    def test_curves_in_f32_differ_by_rounding(self):
        self.assert_same_as_alone([2], ["pretrain"] + TINY + ["precision=f32", "pretrain.log_steps=1"], 1e-4)

    def test_a_checkpoint_of_two_goes_on_on_one_and_on_four(self):
        words = ["pretrain"] + EXACT + ["pretrain.epochs=6"]
        run = self.done(1, words, "whole")
        two = self.start(2, words, "two")
        self.read_until(two, "epoch 2:")
        two.send_signal(signal.SIGUSR2)  # mpirun hands it on
        self.finish(two)
        self.assertEqual(two.returncode, 4, two.err)
        self.assertEqual(two.err.count("the same command goes on from there"), 1, two.err)
        self.assertEqual(self.record("two")["state"], "interrupted")
        shutil.copytree(self.folder / "two", self.folder / "four")
        for out, ranks in (("two", 1), ("four", 4)):
            self.assertEqual(self.done(ranks, words, out), run)
            self.assert_same_curves(self.journal("whole"), self.journal(out), 1e-10)

    def test_an_image_that_several_ranks_cannot_read_is_skipped_once(self):
        shutil.copytree(GOLDEN / "finetune8", self.folder / "images")
        (self.folder / "images/train/class0/p0.png").write_text("no image")
        words = ["pretrain"] + TINY + [f"data.root={self.folder / 'images'}"] + (
            "data.name=image_folder data.train=train data.limit=0 data.holdout=2 data.split_seed=2 "
            "pretrain.batch_size=2 pretrain.epochs=6 pretrain.val_epochs=0").split()
        for ranks in (1, 2):
            out = f"ranks{ranks}"
            got = self.run_it(ranks, words, out)
            self.assertEqual(got.returncode, 0, got.err)
            self.assertEqual(self.record(out)["summary"]["skipped_images"], 1)
            self.assertEqual(got.err.count("skipped: "), 1, got.err)

    def rank_process(self, mpirun, rank):
        for child in self.children(mpirun):
            if f"OMPI_COMM_WORLD_RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                return child
        return self.fail(f"no rank {rank}")

    def endless(self, out):
        two = self.start(2, ENDLESS, out)
        self.read_until(two, "epoch 2:")
        return two

    def test_a_signal_to_one_rank_stops_all_at_the_same_step_with_a_checkpoint(self):
        two = self.endless("out")
        os.kill(self.rank_process(two.pid, 1), signal.SIGTERM)
        self.finish(two)
        self.assertEqual(two.returncode, 4, two.err)
        self.assertEqual(two.err.count("the same command goes on from there"), 1, two.err)

    def test_a_lost_rank_ends_the_run_which_the_same_command_takes_up(self):
        for lost in (0, 1):
            out = f"lost{lost}"
            two = self.endless(out)
            os.kill(self.rank_process(two.pid, lost), signal.SIGKILL)
            self.finish(two)
            self.assertNotEqual(two.returncode, 0)
            self.assertEqual(two.err.count(f"simmim: rank {lost} of 2 is gone"), 1, two.err)
            self.assertEqual(two.err.count("simmim: "), 1, two.err)
            # Rank 0 writes down what became of the run; without it the run is found lost by its free lock.
            self.assertEqual(self.record(out)["state"], "running" if lost == 0 else "failed")
            again = self.start(1, ENDLESS, out)
            self.read_until(again, "going on from step")
            again.send_signal(signal.SIGTERM)
            self.assertEqual(self.finish(again).returncode, 4)

    def test_a_failure_is_said_once(self):
        quiet = ["pretrain", "--quiet"]
        self.assert_said_once(3, quiet + TINY, 2, "32 images a step do not divide among 3 processes; use 30 or 33")
        self.assert_said_once(2, ["finetune"], 2, "--from is missing")
        self.assert_said_once(2, quiet + ["mask.ratoi=1"], 2, "did you mean 'ratio'?")
        self.assert_said_once(2, quiet + TINY + ["precision=f32", "pretrain.lr=1e30", "pretrain.max_skipped_steps=2"], 1,
                              "not finite in 2 steps in a row")

    def test_a_dry_run_computes_nothing_and_a_finished_run_is_reused(self):
        words = ["pretrain"] + TINY
        planned = self.run_it(2, words + ["--dry-run"], "out")
        self.assertEqual(planned.returncode, 0, planned.err)
        self.assertEqual(planned.out.count("\nparameters "), 1, planned.out)
        self.done(2, words, "out")
        again = self.run_it(2, words, "out")
        self.assertEqual(again.returncode, 0, again.err)
        self.assertEqual(again.err.count("is already done: reused"), 1, again.err)

    def test_a_launch_that_mpi_knows_nothing_of_is_refused(self):
        self.assert_said_once(1, ["pretrain"] + TINY, 2, "says 3 processes, but MPI finds 1",
                              OMPI_COMM_WORLD_SIZE="3", OMPI_COMM_WORLD_RANK="0")


class WrongLaunch(Case):
    def test_processes_that_nothing_connects_are_one_clear_error(self):
        words = ["pretrain"] + TINY
        self.assert_said_once(1, words, 2, "SLURM_NTASKS=4 says 4 processes, but nothing connects them", SLURM_NTASKS="4")
        self.assert_said_once(1, words, 2, "srun --mpi=pmix -n 4", SLURM_NTASKS="4", SLURM_STEP_NUM_TASKS="4",
                              SLURM_PROCID="2")
        self.assert_said_once(1, words, 2, "torchrun brings no MPI", WORLD_SIZE="2", RANK="0", LOCAL_RANK="0")
        self.assertFalse((self.folder / "out").exists())

    def test_a_sweep_and_a_probe_refuse_to_be_several(self):
        for words in (["sweep", "demo"], ["probe", "--from", "latest"]):
            self.assert_said_once(1, words, 2, "runs as one process, but mpirun started 2", OMPI_COMM_WORLD_SIZE="2",
                                  OMPI_COMM_WORLD_RANK="0")


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    if not HAS_MPI:
        print("skipped: no MPI here; scripts/setup.sh --slow installs it, and a build after that uses it")
        sys.exit(77)
