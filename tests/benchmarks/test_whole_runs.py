from pathlib import Path

from benchmarks.whole_runs import write_study_without_references
from pipeline.study.load import load_study
from pipeline.version import PROJECT


def test_the_study_without_reference_models_differs_in_nothing_else(tmp_path: Path) -> None:
    shipped = load_study(PROJECT / "schema" / "cdisc_pilot01" / "study.yaml")
    written = load_study(write_study_without_references(tmp_path / "study"))

    assert shipped.training.reference_models
    assert written.training.reference_models == ()
    training = written.training.model_copy(
        update={"reference_models": shipped.training.reference_models}
    )
    assert written.model_copy(update={"training": training}) == shipped
