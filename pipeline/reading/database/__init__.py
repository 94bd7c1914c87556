"""Tables and queries of a SQL database, read once a run into a private snapshot of Parquet files.

A database changes while it is read, and stages read the data more than once. So the datasets of the
format `sql` are read together, in one read-only transaction, before anything else; fingerprint,
examples and summary read the snapshot.
"""
