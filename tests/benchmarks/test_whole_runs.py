from pathlib import Path

from benchmarks.shipped_study import five_by_five, without_references, write_changed_study
from pipeline.study.load import load_study
from pipeline.version import PROJECT


def test_the_study_without_reference_models_differs_in_nothing_else(tmp_path: Path) -> None:
    shipped = load_study(PROJECT / "schema" / "cdisc_pilot01" / "study.yaml")
    written = load_study(
        write_changed_study("cdisc_pilot01", tmp_path / "study", without_references)
    )

    assert shipped.training.reference_models
    assert written.training.reference_models == ()
    training = written.training.model_copy(
        update={"reference_models": shipped.training.reference_models}
    )
    assert written.model_copy(update={"training": training}) == shipped


def test_the_study_of_five_repeats_differs_in_nothing_else(tmp_path: Path) -> None:
    shipped = load_study(PROJECT / "schema" / "actg175" / "study.yaml")
    written = load_study(write_changed_study("actg175", tmp_path / "study", five_by_five))

    evaluation = written.evaluation
    assert (evaluation.scheme, evaluation.folds, evaluation.repeats) == ("cross_fit", 5, 5)
    assert written.model_copy(update={"evaluation": shipped.evaluation}) == shipped
