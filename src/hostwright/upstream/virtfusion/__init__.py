"""VirtFusion: runs virtual servers on a hosting company's hypervisors."""
