"""ChampionModel: brings the last blessed model of a study into a run."""
