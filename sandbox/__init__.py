"""The outside world on a laptop: a carrier, a room server, a model provider and the people who are called.

The emulators answer as the vendors document, failures included, and share nothing with the product
but the keys that each side checks. Nothing outside this package knows that it exists, except the
commands that start it.
"""
