"""Alex: the voice process. Of the product it knows the wire contracts in `outreach.domain` only."""
