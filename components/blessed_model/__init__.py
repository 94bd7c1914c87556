"""BlessedModel: restricts a model to the tasks that the Evaluator has blessed."""
