"""What stands between these settings and a first call: one check per fact, each with what to do.

A check is one function that looks at one fact and says what it found, in a sentence:

    def examine(about: Surroundings) -> Finding:
        return fail("No inbound trunk.", remedy="Run manage.py provision.", page="https://…")

    CHECKS = (Check(name="livekit.trunk", examine=examine, after="livekit.keys"),)

The part of the name before the dot is its area. A check may raise what it likes: it becomes a failure with
a sentence. Checks run at the same time, each in a thread and with a time limit of its own; one that names
another in `after` waits for that one, and is skipped when it failed. Each module holds the checks of one
subject in `CHECKS`; `registry.py` lists the modules.
"""
