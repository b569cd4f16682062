"""What every package needs: errors, the command line, files, names, the machine, GPUs, child processes, Ray."""
