"""What happens below and may interest the floors above, which connect without being imported."""

from django.dispatch import Signal

source_synced = Signal()
"""A source was read to its end and stored. Sent after the commit with ``source_id``."""

withdrawn = Signal()
"""Resources are gone or may be read by others than before. Sent in the transaction that says so, or as soon as a
change made by any other hand is noticed, with ``resources`` (a queryset), while their contributions are still there."""
