"""What pages show of servers: view structs with every word and figure made ready, so that templates only place them."""
