"""``python -m training``: train, promote, score, list prospects, watch; all by the catalogue."""

from __future__ import annotations

import sys

from training.command import main

if __name__ == "__main__":
    sys.exit(main())
