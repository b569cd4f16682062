"""This machine: its clock, what it was doing meanwhile, its cores, the rates that it reaches."""
