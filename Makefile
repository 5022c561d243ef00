# Every target is plain Python: without make, run `python3 sandbox/bootstrap.py up` (test, check, …).
PYTHON ?= python3

.PHONY: up test check format lock
up test check format lock:
	@$(PYTHON) sandbox/bootstrap.py $@ $(ARGS)
