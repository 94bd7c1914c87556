"""Drafts for review: a study file from data files, a curated schema from a study.

`trial draft study --data FOLDER --out schema/mytrial/study.yaml` looks at the
files and writes down what can be seen in them: formats, columns, types, candidates. What can't
be seen there, above all when a column is known, is left as a TODO, and the study file is refused
until it is decided.

`trial draft schema --study schema/mytrial/study.yaml --data FOLDER` makes the
examples in a temporary folder and drafts the curated schema from the statistics of train.
"""
