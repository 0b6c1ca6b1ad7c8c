"""The common table of all servers and the mirror of VirtFusion: list, detail, power, traffic."""
