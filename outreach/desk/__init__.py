"""What the operator's pages and their live streams share: figures, words, badges, times."""
