"""An attacker of our own: it has what people read, and tries to find single subjects in it.

`statements` says what a document tells about sets of subjects, the modules of documents
(`analysis_document`, ...) read it out of them, `solver` says what follows, and `finds` which of
that would be a subject found.
"""
