"""SkewGate: compares subjects who are to be scored with those the model was trained on."""
