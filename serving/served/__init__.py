"""What was served: kept beside the requests, replayed, forgotten."""
