#!/usr/bin/env python3
"""Writes tests/golden/statistics.json: what scipy and statsmodels say of the tests that the tables print.

Run by `make golden`, which installs both. The additive model is
an ordinary least squares fit of value ~ C(cell) + C(seed), Holm's correction is statsmodels' multipletests.
"""
import json
import pathlib

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests


def additive(values: np.ndarray) -> dict:
    """values (cells, seeds). Differences to cell 0 with their intervals, p, and the smallest that could be shown."""
    cells, seeds = values.shape
    rows = [(c, s) for c in range(cells) for s in range(seeds)]
    design = np.zeros((len(rows), cells + seeds - 1))  # intercept, cells 1.., seeds 1..
    design[:, 0] = 1
    for i, (c, s) in enumerate(rows):
        if c > 0:
            design[i, c] = 1
        if s > 0:
            design[i, cells - 1 + s] = 1
    fit = sm.OLS(values.reshape(-1), design).fit()
    intervals = fit.conf_int(0.05)
    p = [float(fit.pvalues[c]) for c in range(1, cells)]
    error = float(fit.bse[1])
    return {
        "values": values.tolist(),
        "df": float(fit.df_resid),
        "deviation": float(np.sqrt(fit.mse_resid)),
        "differences": [
            {
                "value": float(fit.params[c]),
                "standard_error": float(fit.bse[c]),
                "t": float(fit.tvalues[c]),
                "p": p[c - 1],
                "low": float(intervals[c][0]),
                "high": float(intervals[c][1]),
            }
            for c in range(1, cells)
        ],
        "holm": [float(x) for x in multipletests(p, method="holm")[1]],
        "smallest": error * float(stats.t.ppf(1 - 0.05 / 2, fit.df_resid)),
        "smallest_of_all": error * float(stats.t.ppf(1 - 0.05 / (2 * (cells - 1)), fit.df_resid)),
    }


def paired(first: np.ndarray, second: np.ndarray) -> dict:
    test = stats.ttest_rel(first, second)
    interval = test.confidence_interval(0.95)
    return {
        "first": first.tolist(),
        "second": second.tolist(),
        "value": float(np.mean(first - second)),
        "t": float(test.statistic),
        "p": float(test.pvalue),
        "df": float(test.df),
        "low": float(interval.low),
        "high": float(interval.high),
    }


def main() -> None:
    random = np.random.default_rng(20220618)
    models, pairs = [], []
    for cells, seeds, spread in [(2, 2, 0.3), (2, 5, 0.3), (3, 3, 0.5), (5, 3, 0.2), (9, 4, 1.0), (24, 3, 0.4)]:
        effects = random.normal(80, spread, (cells, 1)) + random.normal(0, 2, (1, seeds))
        models.append(additive(np.round(effects + random.normal(0, 0.2, (cells, seeds)), 3)))
    for n, shift in [(2, 0.5), (5, 0.0), (10, 1.0), (400, 0.05)]:
        first = np.round(random.normal(80 + shift, 1, n), 3)
        pairs.append(paired(first, np.round(first - shift + random.normal(0, 0.5, n), 3)))
    quantiles = [
        {"confidence": c, "df": df, "t": float(stats.t.ppf(0.5 + c / 2, df))}
        for c in (0.5, 0.9, 0.95, 0.99, 0.9995)
        for df in (1, 2, 3, 8, 46, 9999)
    ]
    tails = [
        {"t": t, "df": df, "p": float(2 * stats.t.sf(t, df))}
        for t in (0.01, 0.7, 2.0, 5.5, 30.0)
        for df in (1, 2, 3, 8, 46, 9999)
    ]
    out = {
        "made_by": f"scripts/golden/significance.py with scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
        "additive": models,
        "paired": pairs,
        "quantiles": quantiles,
        "tails": tails,
        "holm": [
            {"p": p, "corrected": [float(x) for x in multipletests(p, method="holm")[1]]}
            for p in ([0.01, 0.02, 0.03, 0.04, 0.05], [0.04, 0.001, 0.6], [0.5, 0.5, 0.001, 0.0001, 0.2, 0.03], [0.7])
        ],
    }
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/statistics.json"
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
