"""The directory: people, teams and managers from a file or from another system, and as they were before."""
