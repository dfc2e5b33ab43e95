"""Sources that come with Nextbest: each one yields events, customers, campaigns and spines."""
