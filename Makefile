# Every target is plain Python: without make, run `python3 sandbox/bootstrap.py up` (test, check, …).
PYTHON ?= python3

.PHONY: up test test-voice check format lock livekit bench
up test test-voice check format lock livekit bench:
	@$(PYTHON) sandbox/bootstrap.py $@ $(ARGS)

# On a server, with Docker (docs/operations.md); without make: `python3 -m deploy`.
.PHONY: deploy
deploy:
	@$(PYTHON) -m deploy $(ARGS)
