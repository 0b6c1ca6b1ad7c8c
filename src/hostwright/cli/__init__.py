"""The command line: a composition root. Each command is imported when it is called, so that ``--help`` is instant."""
