"""The prediction log: what was predicted of whom, kept for what becomes known later.

It is a store of patients' data, not a log of a program: off until an address is named, written by
batch scoring and by the service for clients of its protocols, never for its page.
"""
