"""The evaluation of a model as a page: decision, performance, groups, data."""
