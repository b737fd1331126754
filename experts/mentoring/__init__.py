"""Mentoring: offers and wishes, who is matched with whom, and their meetings."""
