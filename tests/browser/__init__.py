"""The product in a real browser: processes, a simulated vendor, Chromium."""
