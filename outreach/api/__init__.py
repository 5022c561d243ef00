"""The JSON API: what other programs may read, by tokens, page by page. Nothing is written here."""
