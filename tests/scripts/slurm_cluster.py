"""A Slurm of one's own on the loopback device: munged, slurmctld and two slurmd (n1, n2; one core each) in a folder.

Needs root and Debian's slurm-wlm and munge; leaves those of the system alone. Partition `main` is preempted by `urgent`.
"""
import os
import re
import secrets
import signal
import socket
import subprocess
import time

CONF = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# cred_expire is also how long a requeued job waits: two minutes unless it is set.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
MpiDefault=none
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=30
MinJobAge=300
SlurmdTimeout=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=1,sched_interval=1,bf_interval=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port[1]} CPUs=1 RealMemory=2000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port[2]} CPUs=1 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class CannotStart(Exception):
    pass


class Cluster:
    def __init__(self, folder):
        self.folder, self.conf = folder, f"{folder}/slurm.conf"
        self.daemons = {}
        os.makedirs(f"{folder}/state")

    def __enter__(self):
        try:
            self.start_all()
        except SystemExit as failure:  # a container that forbids what the daemons need
            self.stop()
            raise CannotStart(failure) from None
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start_all(self):
        folder, key = self.folder, f"{self.folder}/munge.key"
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(CONF.format(host=socket.gethostname().split(".")[0], folder=folder, port=free_ports(3)))
        with open(key, "wb") as file:
            file.write(secrets.token_bytes(1024))
        os.chmod(key, 0o600)
        os.environ["SLURM_CONF"] = self.conf
        self.start("munged", "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket",
                   f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munge.seed", "--num-threads=2")
        self.wait_for("munged to listen", lambda: os.path.exists(f"{folder}/munge.socket"))
        self.start("slurmctld", "slurmctld", "-D", "-f", self.conf)
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait_for("two idle nodes", lambda: self.ask("sinfo", "-h", "-N", "-p", "main", "-o", "%T").split() == ["idle"] * 2)

    def start(self, name, *command):
        with open(f"{self.folder}/{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def start_node(self, node):
        os.makedirs(f"{self.folder}/spool.{node}", exist_ok=True)
        self.start(node, "slurmd", "-D", "-f", self.conf, "-N", node)

    def lose_node(self, node, pid):
        """As when its power fails: slurmd, the job's process `pid` and what looks after that are gone at once."""
        slurmd = self.daemons.pop(node)
        slurmd.kill()
        slurmd.wait()
        kill(int(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[1]))  # slurmstepd first: it would report the end
        kill(pid)

    @staticmethod
    def ask(*command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout

    def job(self, element):
        """What scontrol knows of an element of an array, as a dictionary; {} once it is forgotten."""
        return dict(re.findall(r"(\w+)=(\S*)", self.ask("scontrol", "--oneliner", "show", "job", element)))

    def queue(self):
        """{"12_3": "RUNNING"}"""
        lines = self.ask("squeue", "--noheader", "--array", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    @staticmethod
    def wait_for(what, condition, seconds=120):
        end = time.monotonic() + seconds
        while not (got := condition()):
            if time.monotonic() > end:
                raise SystemExit(f"FAILED: waited {seconds} s for {what}")
            time.sleep(0.2)
        return got

    def stop(self):
        self.ask("scancel", "--user=root", "--signal=KILL", "--full")
        self.ask("scancel", "--user=root")
        for name in ("n1", "n2", "slurmctld", "munged"):
            if daemon := self.daemons.pop(name, None):
                daemon.send_signal(signal.SIGTERM)
                try:
                    daemon.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
