"""What stands between these settings and a first call: one check per fact, each with what to do."""
