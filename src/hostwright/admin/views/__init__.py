"""What staff see, ready to be placed."""
