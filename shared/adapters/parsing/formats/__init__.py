"""One module per format; each turns bytes into canonical text and runs in the child process only."""
