"""Measurements that print figures and ratios."""
