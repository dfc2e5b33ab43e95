"""Databases, Redis and the registry cut off and restored while requests keep coming."""
