"""Server-sent events: the dashboard and a call's transcript, while they happen."""
