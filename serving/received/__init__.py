"""What customers did and what is known of them, as requests tell it: written, then counted."""
