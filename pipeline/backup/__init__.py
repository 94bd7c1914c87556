"""Backups of what runs can't make again: registry, ledger, store, metadata, prediction log."""
