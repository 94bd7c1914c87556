"""Content of the HTML pages; `pipeline.html` defines their look."""
