"""Sweeps on a real Slurm with two nodes on the loopback device: slurm_test.py PROGRAM.

Arrays, dependencies, a time limit, preemption, the loss of a node, a failed parent. What was interrupted ends with the
same bits as a local sweep that was not. Exit code 77, "skipped", where it is not root or the daemons cannot run.
"""
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from slurm_cluster import CannotStart, Cluster

TINY = {"encoder.dim": 32, "encoder.depth": 1, "encoder.heads": 2, "data.limit": 128, "data.workers": 0,
        "pretrain.epochs": 2, "pretrain.batch_size": 32, "pretrain.warmup_epochs": 0.5,
        "finetune.epochs": 2, "finetune.batch_size": 32, "finetune.warmup_epochs": 0.5}
ON_N1 = {"options": ["--exclude=n2"]}
FINETUNINGS = {"cases": {"low": {"finetune.lr": 1e-4}, "high": {"finetune.lr": 1e-3}, "scratch": {"finetune.from": "scratch"}}}


def check(fact, what):
    if not fact:
        raise SystemExit(f"FAILED: {what}")


class Test:
    def __init__(self, program, folder, cluster):
        self.program, self.folder, self.cluster = program, folder, cluster
        os.makedirs(f"{folder}/config/simmim")
        with open(f"{folder}/config/simmim/site.json", "w", encoding="utf-8") as file:
            json.dump({"slurm": {"partition": "main", "threads": 1}}, file)
        self.environment = {**os.environ, "XDG_CONFIG_HOME": f"{folder}/config"}
        self.local = {}  # results folder -> sweep without Slurm that is under way

    # --- the program
    def sweep_file(self, name, leaves=(), **more):
        content = {"set": {**TINY, **dict(leaves)}, "seeds": 1, "resources": {"threads": 1}, **more}
        with open(f"{self.folder}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(content, file)

    def words(self, name, out):
        return [self.program, "sweep", f"{self.folder}/{name}.json", "--out", f"{self.folder}/{out}"]

    def simmim(self, *words, code=0):
        done = subprocess.run(words, capture_output=True, text=True, env=self.environment, timeout=300, check=False)
        check(done.returncode == code, f"{' '.join(words)}: exit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
        return done

    def submit(self, name, out, *more, resources=None):
        words = self.words(name, out) + ["--executor", "slurm", "--json", *more]
        if resources:
            with open(f"{self.folder}/{out}.resources.json", "w", encoding="utf-8") as file:
                json.dump(resources, file)
            words += ["--resources", file.name]
        return json.loads(self.simmim(*words).stdout)

    def start_local(self, name, out):
        self.local[out] = subprocess.Popen(self.words(name, out) + ["--jobs", "1", "--quiet"], env=self.environment,
                                           stdout=subprocess.DEVNULL)

    def finish_local(self, out):
        check(self.local.pop(out).wait(600) == 0, f"the local sweep {out} failed")

    def record(self, out, run):
        try:
            with open(f"{self.folder}/{out}/runs/{run}/run.json", encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"attempts": []}

    def wait_for_jobs(self, submitted):
        self.wait_until_idle([job["job"] for job in submitted["jobs"]])

    def wait_until_idle(self, jobs, seconds=300):
        self.cluster.wait_for(f"jobs {jobs} to end", lambda: not any(key.split("_")[0] in jobs for key in self.cluster.queue()), seconds)

    def wait_for_steps(self, out, run, attempt):
        """Until the run is in its attempt of this number and its journal has grown in it."""
        def size():
            path = f"{self.folder}/{out}/runs/{run}/metrics.jsonl"
            return os.path.getsize(path) if os.path.exists(path) else 0
        self.cluster.wait_for(f"attempt {attempt} of {run}", lambda: len(self.record(out, run)["attempts"]) == attempt)
        before = size()
        self.cluster.wait_for(f"attempt {attempt} of {run} to train", lambda: size() > before)

    def expect_same_bits(self, out, other):
        runs = sorted(os.listdir(f"{self.folder}/{other}/runs"))
        check(sorted(os.listdir(f"{self.folder}/{out}/runs")) == runs, f"{out} and {other} have other runs")
        for run in runs:
            check(self.record(out, run)["state"] == "done", f"{out}: {run} is not done")
            files = [f"{self.folder}/{place}/runs/{run}/final.safetensors" for place in (out, other)]
            check(filecmp.cmp(*files, shallow=False), f"{run}: other bits in {out} than in {other}")

    # --- the scenes
    def array_and_dependencies(self):
        """2 pre-trainings, 2 fine-tunings of each, one from scratch: submitted once, collected by status."""
        self.sweep_file("small", axes=[{"grid": {"mask.ratio": [0.4, 0.6]}}, FINETUNINGS])
        self.start_local("small", "small_local")
        scripts = self.simmim(*self.words("small", "small"), "--executor", "slurm", "--dry-run").stdout
        check(scripts.count("#SBATCH --array=0-1\n") == 3 and "--dependency=aftercorr:pretrain finetune-2.sh" in scripts, scripts)
        check(not os.path.exists(f"{self.folder}/small"), "a dry run left something behind")
        first = self.submit("small", "small", resources=ON_N1)
        check([len(job["runs"]) for job in first["jobs"]] == [2, 1, 2, 2], f"arrays: {first['jobs']}")
        again = self.submit("small", "small", resources=ON_N1)
        check(not again["jobs"] and len(again["queued"]) + len(again["done"]) == 7, f"submitted twice: {again}")
        status = self.simmim(self.program, "status", "small", "--out", f"{self.folder}/small").stdout
        check("waiting" in status, f"status does not show what waits: {status}")
        self.wait_for_jobs(first)
        status = self.simmim(self.program, "status", "small", "--out", f"{self.folder}/small").stdout
        check("7 done of 7 runs" in status, f"status: {status}")
        for job in first["jobs"]:
            for run in job["runs"]:
                record = self.record("small", run)
                check(len(record["attempts"]) == 1, f"{run} has {len(record['attempts'])} attempts")
                if record.get("parent"):
                    ended = self.record("small", record["parent"])["attempts"][0]["ended_at"]
                    check(record["attempts"][0]["started_at"] > ended, f"{run} began before its parent had ended")
        self.finish_local("small_local")
        self.expect_same_bits("small", "small_local")
        check(not self.submit("small", "small", resources=ON_N1)["jobs"], "what is done was submitted again")

    def failed_parent(self):
        """One pre-training of two fails: its three fine-tunings are cancelled and named, the other's are done."""
        self.sweep_file("fails", axes=[{"grid": {"pretrain.lr": [1e-3, 1e30], "finetune.lr": [1e-4, 3e-4, 1e-3]}}],
                        leaves={"pretrain.warmup_epochs": 0, "pretrain.max_skipped_steps": 3})
        first = self.submit("fails", "fails", resources=ON_N1)
        check([len(job["runs"]) for job in first["jobs"]] == [2, 3, 3], f"arrays: {first['jobs']}")
        self.wait_for_jobs(first)
        words = self.words("fails", "fails") + ["--executor", "slurm"]
        told = self.simmim(*words, code=3)
        check("0 submitted, 0 in the queue already, 4 done, 1 failed, 3 not runnable" in told.stdout, told.stdout)
        check(told.stderr.count("cancelled, its parent failed: ") == 3 and "--retry-failed" in told.stderr, told.stderr)
        check(len(os.listdir(f"{self.folder}/fails/runs")) == 5, "a dependant of the failed run was started")
        retried = self.submit("fails", "fails", "--retry-failed", resources=ON_N1)
        check(len(retried["submitted"]) == 4, f"--retry-failed: {retried}")
        self.wait_for_jobs(retried)

    def start_time_limit(self):
        """A run of 45 s in slots of a minute, of which Slurm warns after 30 s or before; a child waits for it. On n2,
        while the next scenes are on n1."""
        self.sweep_file("limit", leaves={"pretrain.epochs": self.epochs_of(45)})
        self.start_local("limit", "limit_local")
        self.limit = self.submit("limit", "limit", resources={"hours": 1 / 60, "options": ["--exclude=n1"]})

    def finish_time_limit(self):
        submitted = self.limit
        self.wait_for_jobs(submitted)
        run = submitted["jobs"][0]["runs"][0]
        attempts = self.record("limit", run)["attempts"]
        check(len(attempts) >= 2 and attempts[0]["state"] == "interrupted", f"the time limit interrupted nothing: {attempts}")
        check(attempts[-1]["environment"]["SLURM_RESTART_COUNT"] == str(len(attempts) - 1), f"not the same job: {attempts}")
        self.finish_local("limit_local")
        self.expect_same_bits("limit", "limit_local")

    def preempted_twice(self):
        self.sweep_file("medium", leaves={"pretrain.epochs": self.epochs_of(12)})
        self.start_local("medium", "medium_local")
        submitted = self.submit("medium", "preempted", resources=ON_N1)
        job, run = submitted["jobs"][0]["job"], submitted["jobs"][0]["runs"][0]
        for attempt in (1, 2):
            self.wait_for_steps("preempted", run, attempt)
            urgent = self.cluster.ask("sbatch", "--parsable", "--partition=urgent", "--nodelist=n1", "--output=/dev/null", "--wrap=true").strip()
            self.wait_until_idle([urgent])
        self.wait_for_jobs(submitted)
        attempts = self.record("preempted", run)["attempts"]
        check([each["state"] for each in attempts] == ["interrupted", "interrupted", "done"], f"{job}: {attempts}")
        self.finish_local("medium_local")
        self.expect_same_bits("preempted", "medium_local")

    def cancelled_by_hand(self):
        """What a person takes out of the queue does not come back by itself, and the same command submits it again."""
        submitted = self.submit("medium", "cancelled", resources=ON_N1)
        job, run = submitted["jobs"][0]["job"], submitted["jobs"][0]["runs"][0]
        self.wait_for_steps("cancelled", run, 1)
        self.cluster.ask("scancel", job)
        self.wait_for_jobs(submitted)
        check(self.record("cancelled", run)["state"] == "interrupted", "a cancelled run did not save")
        again = self.submit("medium", "cancelled", resources=ON_N1)
        check(len(again["submitted"]) == 2, f"after scancel: {again}")
        self.wait_for_jobs(again)
        self.expect_same_bits("cancelled", "medium_local")

    def lost_node(self):
        submitted = self.submit("medium", "lost")
        job, run = submitted["jobs"][0]["job"], submitted["jobs"][0]["runs"][0]
        self.wait_for_steps("lost", run, 1)
        node = self.cluster.job(f"{job}_0")["BatchHost"]
        self.cluster.lose_node(node, self.record("lost", run)["attempts"][0]["pid"])
        self.wait_for_jobs(submitted)
        attempts = self.record("lost", run)["attempts"]
        nodes = [each["environment"]["SLURM_JOB_NODELIST"] for each in attempts]
        check([each["state"] for each in attempts] == ["lost", "done"] and nodes[1] != nodes[0] == node, f"{job}: {attempts}")
        self.expect_same_bits("lost", "medium_local")

    def epochs_of(self, seconds):
        return max(2, round(seconds / self.epoch_seconds))

    def measure(self):
        """How many epochs fill a second of this machine."""
        self.sweep_file("measure", leaves={"pretrain.epochs": 60}, stages=["pretrain"])
        self.start_local("measure", "measure")
        self.finish_local("measure")
        run, = os.listdir(f"{self.folder}/measure/runs")
        self.epoch_seconds = self.record("measure", run)["attempts"][0]["seconds"] / 60

    def run(self):
        start = time.monotonic()
        for scene in (self.measure, self.start_time_limit, self.array_and_dependencies, self.failed_parent,
                      self.preempted_twice, self.cancelled_by_hand, self.finish_time_limit, self.lost_node):
            scene()
            print(f"{time.monotonic() - start:5.0f} s  {scene.__name__}", flush=True)


def main():
    if os.geteuid() != 0:
        print("skipped: starting a Slurm needs root")
        return 77
    for program in ("munged", "slurmctld", "slurmd", "sbatch"):
        check(shutil.which(program), f"{program} is not installed; `make test-slow` installs what scripts/packages-slow.txt names")
    folder = tempfile.mkdtemp(prefix="simmim-slurm-")
    try:
        with Cluster(f"{folder}/slurm") as cluster:
            test = Test(os.path.abspath(sys.argv[1]), folder, cluster)
            try:
                test.run()
            finally:
                for sweep in test.local.values():
                    sweep.kill()
        print("ok")
    except CannotStart as why:
        print(f"skipped: Slurm's daemons do not run here: {why}")
        return 77
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
