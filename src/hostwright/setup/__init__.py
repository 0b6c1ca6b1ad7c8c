"""The first run: who holds the token printed in the terminal makes the first admin and sets the company up, once."""
