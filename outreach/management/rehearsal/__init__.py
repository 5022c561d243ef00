"""A whole campaign against the sandbox: its course, what is known about it afterwards, the verdict."""
