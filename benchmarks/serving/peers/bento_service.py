"""BentoML with the same C API: `bentoml serve bento_service:Churn`, the model's folder in MODEL."""

import os
from pathlib import Path

import bentoml

from models.booster import Booster


@bentoml.service(workers=1, traffic={"timeout": 60})
class Churn:
    def __init__(self) -> None:
        self.booster = Booster.load(Path(os.environ["MODEL"]) / "booster.txt")

    @bentoml.api
    async def score(self, features: dict[str, float]) -> dict[str, float]:
        return {"margin": self.booster.margin([float(value) for value in features.values()])}
