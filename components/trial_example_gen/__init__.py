"""TrialExampleGen: a study's files in, one tf.Example per subject out."""
