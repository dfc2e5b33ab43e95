"""Small tables of a company's own, written as a company would export them."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path

HEADER = (
    "lead_id", "created_at", "origin", "visits", "revenue", "first_seen", "zip", "tags",
    "converted", "converted_at",
)  # fmt: skip


def write_leads(path: Path, rows: int = 1_000, seed: int = 0, first: int = 1) -> None:
    """Write leads of whom those from the API, and those who visit often, convert more."""
    draw = random.Random(seed)
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(HEADER)
        for n in range(first, first + rows):
            created = datetime(2024, 1, 1) + timedelta(hours=3 * n)
            origin = draw.choice(["API", "Landing Page", "Import", "Select"])
            visits = draw.randrange(20)
            chance = 0.05 + 0.55 * (origin == "API") + 0.02 * visits
            decided = created + timedelta(days=draw.randrange(1, 20))
            out.writerow(
                [
                    f"L{n:04d}", f"{created:%Y-%m-%d %H:%M}", origin,
                    "" if draw.random() < 0.1 else visits, f"{draw.uniform(0, 5000):,.2f}",
                    f"{created - timedelta(days=draw.randrange(1, 300)):%d/%m/%Y}",
                    draw.choice(["06001", "06002", "10115"]), "hot",
                    "yes" if draw.random() < chance else "no", f"{decided:%Y-%m-%d}",
                ]
            )  # fmt: skip


def write_orders(path: Path, customers: int = 1_000, seed: int = 1) -> None:
    """Write some orders of the same leads."""
    draw = random.Random(seed)
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["customer", "ordered_at", "loaded_at", "total"])
        for n in range(1, customers + 1):
            for _ in range(draw.randrange(4)):
                at = datetime(2023, 9, 1) + timedelta(minutes=draw.randrange(150_000))
                total = f"{draw.uniform(1, 200):.2f}"
                out.writerow([f"L{n:04d}", at.isoformat(), f"{at:%Y-%m-%d}", total])
