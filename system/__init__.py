"""What every room needs: errors, the command line, files, names, the machine, the GPU, child processes."""
