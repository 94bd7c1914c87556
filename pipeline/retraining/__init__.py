"""Whether a model is trained again, why, and who asked: the section `retrain` of a study file."""
