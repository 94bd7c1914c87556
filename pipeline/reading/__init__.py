"""Reading a study's files: formats, dates, conditions over rows."""
