"""Sweeps on the hosts of a Ray cluster: the driver plans and keeps records, a program on each host measures."""
