"""One file a resource; each route reads its parts and answers, the work is done elsewhere."""
