"""What happens below and may interest the floors above, which connect without being imported."""

from django.dispatch import Signal

source_synced = Signal()
"""A source was read to its end and stored. Sent after the commit with ``source_id``."""
