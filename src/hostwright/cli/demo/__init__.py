"""`hostwright demo`: a whole hosting company with sample data, simulated vendors and an own PostgreSQL."""
