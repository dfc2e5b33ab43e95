"""The API: scores, customers and prospect lists over HTTP, from the champions of the registry."""
