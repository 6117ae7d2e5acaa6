"""Rapport's voice: the desk and its faces. What it remembers is in `storage`."""
