"""LitServe with the same C API: python lit_server.py PORT, the model's folder in MODEL."""

import os
import sys
from pathlib import Path

import litserve

from models.booster import Booster


class Churn(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.booster = Booster.load(Path(os.environ["MODEL"]) / "booster.txt")

    def decode_request(self, request: dict) -> list[float]:
        return [float(value) for value in request["features"].values()]

    def predict(self, row: list[float]) -> float:
        return self.booster.margin(row)

    def encode_response(self, margin: float) -> dict[str, float]:
        return {"margin": margin}


if __name__ == "__main__":
    litserve.LitServer(Churn(), accelerator="cpu", workers_per_device=1).run(
        port=int(sys.argv[1]), host="127.0.0.1", num_api_servers=1, generate_client_file=False
    )
