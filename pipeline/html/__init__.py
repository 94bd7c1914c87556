"""All HTML of the project: one look, one file a page, no network, no script."""
