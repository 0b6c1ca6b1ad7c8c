"""Audit: who did what. The store only grows; the application's role cannot change or delete its rows."""
