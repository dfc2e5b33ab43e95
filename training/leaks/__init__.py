"""What looks like a leak, found before training is believed: a check a file."""
