#!/usr/bin/env python3
"""The page of `make bench` judges each peer by its own goal."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/bench"))
import record  # noqa: E402


def row(peer: str, ratio: float, goal: float) -> dict:
    return {"stage": "loader", "case": "loader", "type": "192", "peer": peer, "goal": goal, "ours": 100 * ratio,
            "theirs": 100.0, "ratio": ratio, "report": {}}


missed = record.compared([row("tv pil", 2.4, 2.5), row("tv v2", 2.3, 1.7)])[-1]
assert "| 2.40 (tv pil) | 2.5 |" in missed, missed  # 2.3 to the fastest meets its goal
met = record.compared([row("tv pil", 2.9, 2.5), row("tv v2", 1.8, 1.7)])[-1]
assert "| 1.80 (tv v2) | 1.7 |" in met, met
print("ok")
