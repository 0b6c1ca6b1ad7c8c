"""What every vendor's simulator shares: faults on request, a record of what came in, and a server that can hang up."""
