"""Pages of HTML: what they say; `pipeline.html` says how they look."""
