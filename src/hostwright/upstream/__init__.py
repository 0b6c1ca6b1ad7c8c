"""The ways to vendors: one package each, and the factory that binds them to what features ask for."""
