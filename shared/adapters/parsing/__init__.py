"""Parsing of files in a child process: type by content, checks before expansion, limits by the kernel (K3)."""
