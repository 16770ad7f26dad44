"""An answer is read to its end within the deadline of its call, however slowly it trickles in.

A socket's timeout bounds each read alone: a server (or a proxy) that sends a byte now and then would hold its caller
for ever. The aio twin is ``_atransport.LoopTransport.send``.
"""

from __future__ import annotations

from ssl import SSLSocket
from typing import Any

from safekv.connection.pipeline._call import UNDER_WAY

TOO_SLOW = "the answer was still coming in at the call's deadline"


class PunctualSocket(SSLSocket):
    """Waits for its next bytes no longer than the call that reads them has left."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        call = UNDER_WAY.get()
        if call is not None:
            left, limit = call.flow.remaining(), self.gettimeout()
            if left <= 0:
                raise TimeoutError(TOO_SLOW)
            if limit is None or left < limit:
                self.settimeout(left)
                try:
                    return super().recv_into(buffer, nbytes, flags)
                finally:
                    self.settimeout(limit)  # the connection is kept, and the next call has more time
        return super().recv_into(buffer, nbytes, flags)
