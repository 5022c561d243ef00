"""Backups: everything that must survive the loss of a machine, in one file.

That is the database, and the agent workers' spools with what the database does not have yet. Redis holds
hints, and words that the spools have too; keys are in `.env`, which belongs into a safe, not beside the data.
"""
