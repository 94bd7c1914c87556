"""`trial draft study` and `trial draft schema`, and what the schema of a decided draft holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.cli.main import main
from pipeline.draft.schema import draft_schema
from pipeline.study.load import load_study
from tests.each import each
from tests.pipeline.draft.hand_made_files import patients, write_csv


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_csv(tmp_path / "data" / "patients.csv", patients())
    return tmp_path / "data"


def test_existing_file_is_not_overwritten_without_force(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data.parent / "mytrial" / "study.yaml"
    arguments = ["draft", "study", "--data", str(data), "--out", str(out)]

    assert main(arguments) == 0
    out.write_text("decided by a person")
    assert main(arguments) == 2
    assert out.read_text() == "decided by a person"
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    assert yaml.safe_load(out.read_text())["study"] == "mytrial"


def test_mistake_is_reported_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mytrial" / "study.yaml"

    assert main(["draft", "study", "--data", str(tmp_path / "nowhere"), "--out", str(out)]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_help_needs_neither_beam_nor_tensorflow() -> None:
    code = (
        "import sys; from pipeline.cli.main import main\n"
        "assert main(['draft', 'study', '--help']) == 0\n"
        "sys.exit(any(m in sys.modules for m in ('apache_beam', 'tensorflow')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A drafted study file after a person has decided, and its data."""
    folder = tmp_path_factory.mktemp("decided")
    write_csv(folder / "data" / "patients.csv", patients(200))
    out = folder / "mytrial" / "study.yaml"
    assert main(["draft", "study", "--data", str(folder / "data"), "--out", str(out)]) == 0
    text = out.read_text()
    for drafted, decision in (
        ("title: TODO  # the trial", "title: My trial  # the trial"),
        ("    known: TODO", "    known: baseline"),
        ("      HEALED: {type: text}", "      HEALED: {type: text, known: after}"),
        ("      AGE: {type: number}", "      AGE: {type: number, range: [18, 300]}"),
        ("  HEALED: {kind: category}\n", ""),
        ("control: TODO", "control: control"),
        ("  TODO:  # a name", "  healed:  # a name"),
        ("    kind: TODO", "    kind: outcome"),
        ("    title: TODO", "    title: Healed"),
        ("{column: TODO, equals: TODO}", '{column: HEALED, equals: "Y"}'),
        ("    arm: {of: arm}", "    site: {of: site}"),
        ("randomised: TODO", "randomised: true"),
    ):
        assert text.count(drafted) == 1, drafted
        text = text.replace(drafted, decision)
    out.write_text(text)
    return out, folder / "data"


@pytest.fixture(scope="module")
def schema(decided: tuple[Path, Path]) -> dict[str, schema_pb2.Feature]:
    study_file, data = decided
    text = draft_schema(load_study(study_file), data)
    return {f.name: f for f in text_format.Parse(text, schema_pb2.Schema()).feature}


def test_schema_of_a_decided_draft_lists_every_column_but_the_subject_hash(
    schema: dict[str, schema_pb2.Feature],
) -> None:
    features = ["AGE", "SEX", "SMOKER", "WEIGHT"]
    groups = ["arm", "site", "slice_sex", "slice_site"]

    assert list(schema) == [*features, *groups, "label_healed", "weight_healed"]


def test_schema_takes_ranges_from_the_study_file_and_not_from_the_data(
    schema: dict[str, schema_pb2.Feature],
) -> None:
    age = schema["AGE"].float_domain

    assert (age.min, age.max) == (18, 300)
    assert not schema["WEIGHT"].HasField("float_domain")


def test_schema_closes_the_arms_and_tolerates_a_rare_new_level_elsewhere(
    schema: dict[str, schema_pb2.Feature],
) -> None:
    assert list(schema["arm"].string_domain.value) == ["active", "control"]
    assert schema["arm"].distribution_constraints.min_domain_mass == 1
    assert list(schema["SMOKER"].string_domain.value) == ["0", "1"]
    assert schema["SMOKER"].distribution_constraints.min_domain_mass == 0.95


def test_schema_lists_no_sites(schema: dict[str, schema_pb2.Feature]) -> None:
    assert not schema["site"].HasField("string_domain")
    assert not schema["slice_site"].HasField("string_domain")


def test_schema_demands_labels_and_groups_of_every_subject_and_features_of_most(
    schema: dict[str, schema_pb2.Feature],
) -> None:
    shares = {name: feature.presence.min_fraction for name, feature in schema.items()}

    assert shares["label_healed"] == shares["slice_sex"] == shares["arm"] == 1
    assert shares["AGE"] == 0.95
    assert [feature.name for feature in each(schema.values()) if feature.HasField("shape")] == []


def test_schema_command_writes_beside_the_study_file(decided: tuple[Path, Path]) -> None:
    study_file, data = decided

    assert main(["draft", "schema", "--study", str(study_file), "--data", str(data)]) == 0
    written = study_file.with_name("schema.pbtxt").read_text()
    assert written.startswith("# Curated schema of the examples of mytrial.")
    assert main(["draft", "schema", "--study", str(study_file), "--data", str(data)]) == 2
