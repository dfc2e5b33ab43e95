"""Requests that nobody should send, by the thousand: nothing may fail, and nothing may be told."""
