"""What was known of a customer before a moment: events, features and the kernel that folds them."""
