"""The page for people: a form of the champion's columns, and the risk in words and icons."""
