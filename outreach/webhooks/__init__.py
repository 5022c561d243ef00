"""What the outside world reports: each view verifies, parses and makes one idempotent service call."""
