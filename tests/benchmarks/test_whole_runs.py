from pathlib import Path

from benchmarks.shipped_study import without_references, write_changed_study
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
