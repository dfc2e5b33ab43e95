"""One library fitted to one fold: a question as JSON on stdin, probabilities as JSON on stdout.

Runs in the peers' own environment and imports nothing of ours.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd


def table(folder):
    """Return the columns with types: text is a category whose levels all folds share."""
    types = json.loads((folder / "types.json").read_text())
    X = pd.read_csv(folder / "X.csv", keep_default_na=False, na_values=[""], dtype={
        name: "object" if kind == "category" else "float64" for name, kind in types.items()
    })  # fmt: skip
    for name, kind in types.items():
        if kind == "category":
            X[name] = X[name].astype("category")
    answers = pd.read_csv(folder / "answers.csv")
    return X, answers["y"].to_numpy(), answers["customer"].to_numpy()


def flaml(X, y, groups, asked):
    """FLAML's search for as long as the budget says, judged by log loss as ours is."""
    from flaml import AutoML

    grouped = len(np.unique(groups)) < len(groups)
    folds = {"split_type": "group", "groups": groups} if grouped else {}
    model = AutoML()
    model.fit(
        X, y, task="classification", metric="log_loss", time_budget=asked["budget"],
        n_jobs=asked["threads"], seed=asked["seed"], verbose=0, **folds,
    )  # fmt: skip
    return model


def hist(X, y, groups, asked):
    """scikit-learn's histogram gradient boosting with defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=asked["seed"]).fit(X, y)


def lightgbm(X, y, groups, asked):
    """LightGBM with defaults."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=asked["seed"], n_jobs=asked["threads"], verbosity=-1).fit(
        X, y
    )


def catboost(X, y, groups, asked):
    """CatBoost with defaults; its own missing level for text."""
    from catboost import CatBoostClassifier

    texts = [name for name in X if X[name].dtype == "category"]
    return CatBoostClassifier(
        random_seed=asked["seed"], thread_count=asked["threads"], verbose=0,
        cat_features=texts, allow_writing_files=False,
    ).fit(filled(X), y)  # fmt: skip


def filled(X):
    """Return text columns as plain text, missing ones as a level."""
    texts = {
        name: X[name].astype(object).where(X[name].notna(), "(missing)").astype(str)
        for name in X
        if X[name].dtype == "category"
    }
    return X.assign(**texts)


CONTENDERS = {"flaml": flaml, "hist": hist, "lightgbm": lightgbm, "catboost": catboost}


def main():
    """Answer one question."""
    warnings.filterwarnings("ignore")
    asked = json.loads(sys.stdin.read())
    said, sys.stdout = sys.stdout, sys.stderr
    X, y, groups = table(Path(asked["folder"]))
    test = np.zeros(len(y), dtype=bool)
    test[asked["test"]] = True
    # A column without one value to learn from says nothing, and scikit-learn breaks on it.
    X = X.loc[:, X[~test].notna().any()]
    began = time.perf_counter()
    model = CONTENDERS[asked["contender"]](X[~test], y[~test], groups[~test], asked)
    took = time.perf_counter() - began
    judged = filled(X[test]) if asked["contender"] == "catboost" else X[test]
    p = np.asarray(model.predict_proba(judged))[:, 1]
    said.write("\n" + json.dumps({"p": p.tolist(), "seconds": took}))


if __name__ == "__main__":
    main()
