"""Staff pages that read across features. Everybody else's rows stay with their features."""
