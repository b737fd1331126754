"""Pages about people, a module for each subject."""
