"""ChampionModel: loads the current champion of a study into a run."""
