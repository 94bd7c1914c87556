"""The protocols in which clients ask for predictions."""
