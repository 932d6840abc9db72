"""Runs that something interferes with: other runs, other programs, full disks, changed files."""
