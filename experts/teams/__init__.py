"""Forming a team: who covers which topic, what is missing, and who agrees."""
