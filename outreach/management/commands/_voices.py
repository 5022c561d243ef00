"""What `up --voice` changes: a real livekit-server, people with a voice, and Alex on his production line."""

from __future__ import annotations

import os
from pathlib import Path

from outreach.management.supervisor.ports import Ports
from sandbox.livekit_server import LiveKitPlace, livekit_server
from sandbox.servers import Server

#: How much longer people think than in a rehearsal of text, where nobody waits to hear them.
UNHURRIED = 4


def enter_voices(*, directory: Path, ports: Ports) -> Server:
    """Let this process's environment mean real audio; return the server that it needs.

    :raises ServerError: when there is no livekit-server on this machine.
    """
    place = LiveKitPlace(
        port=ports.livekit,
        media_port=ports.media,
        api_key=os.environ["LIVEKIT_API_KEY"],
        api_secret=os.environ["LIVEKIT_API_SECRET"],
        redis_url=os.environ["REDIS_URL"],
        webhook_url=f"{os.environ['PUBLIC_BASE_URL']}/hooks/livekit",
    )
    server = livekit_server(place, data=directory / "livekit")
    # Alex's default line is the telephone.
    os.environ.pop("ALEX_LINE", None)
    os.environ.update({"SANDBOX_VOICES": "1", "SANDBOX_PACE": str(UNHURRIED)})
    return server
