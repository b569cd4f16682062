"""What the hosts of a Ray cluster are and can run: each is asked by a program there that holds none of its cores."""
