"""The documents that stages write, and what readers derive from them."""
