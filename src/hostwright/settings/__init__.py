"""What the company says of itself: its name and its colour. Kept in the database; the environment goes before it."""
