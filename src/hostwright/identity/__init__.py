"""Users, customers and their members, sessions, API keys, and who may call."""
