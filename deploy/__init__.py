"""Onto a server: what the host runs to deploy, and what the containers run to say how they are."""
