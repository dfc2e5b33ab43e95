"""Measurements on this machine; nothing imports them."""
