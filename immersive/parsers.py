"""What programs send to the API is read with a bound: on its size, and on how deep it is nested."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MOST_BYTES = 100_000
"""Many times what any call of this API needs."""


class BoundedJSONParser(JSONParser):
    """JSON of at most a hundred kilobytes; longer or deeper is the caller's mistake and is answered as one."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ParseError(f"This is more than {MOST_BYTES // 1000} kB. Send less in one call.")
        try:
            said = super().parse(io.BytesIO(data), media_type, parser_context)
            json.dumps(said, ensure_ascii=False).encode()
            return said
        except UnicodeEncodeError:
            raise ParseError("This holds half a character (a lone surrogate). Send whole ones.") from None
        except RecursionError:
            raise ParseError("This JSON is nested too deep. Send a flat object, as the schema shows it.") from None
