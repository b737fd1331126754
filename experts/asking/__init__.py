"""Asking: questions, fair turns, sealed names, answers that stay."""
