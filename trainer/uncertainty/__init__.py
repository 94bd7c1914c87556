"""How far to trust a prediction: intervals of the probability and sets of outcomes."""
