"""What Define-XML says is written beside the columns of a draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.draft.define_xml import DefinedColumn, read_define
from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from tests.pipeline.draft.hand_made_files import patients, write_csv
from tests.pipeline.reading.formats.written_files import DATA, needs_data

DEFINE = """<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:def="http://www.cdisc.org/ns/def/v2.{minor}">
 <Study OID="S"><MetaDataVersion OID="M" Name="M">
  <!-- a comment -->
  <ItemGroupDef OID="IG.DM" Name="DM">
   <ItemRef ItemOID="IT.DM.SEX"/><ItemRef ItemOID="IT.DM.AGE"/><ItemRef ItemOID="IT.ABSENT"/>
  </ItemGroupDef>
  <ItemDef OID="IT.DM.SEX" Name="SEX" DataType="text">
   <Description><TranslatedText xml:lang="en">Sex of the
     subject</TranslatedText></Description>
   <CodeListRef CodeListOID="CL.SEX"/><def:Origin Type="CRF"/>
  </ItemDef>
  <ItemDef OID="IT.DM.AGE" Name="AGE" DataType="integer"/>
  <CodeList OID="CL.SEX" Name="Sex" DataType="text">
   <CodeListItem CodedValue="F">
    <Decode><TranslatedText>Female</TranslatedText></Decode>
   </CodeListItem>
   <EnumeratedItem CodedValue="U"/>
  </CodeList>
 </MetaDataVersion></Study>
</ODM>
"""


@pytest.mark.parametrize("minor", ["0", "1"])
def test_labels_types_codes_and_origins_are_read(tmp_path: Path, minor: str) -> None:
    path = tmp_path / "define.xml"
    path.write_text(DEFINE.format(minor=minor))

    assert read_define(path) == {
        "DM": {
            "SEX": DefinedColumn("Sex of the subject", "text", "CRF", (("F", "Female"), ("U", ""))),
            "AGE": DefinedColumn("", "integer", "", ()),
        }
    }


def test_the_draft_shows_them_beside_the_columns(tmp_path: Path) -> None:
    write_csv(tmp_path / "dm.csv", patients())
    (tmp_path / "define.xml").write_text(DEFINE.format(minor="1"))

    [line] = [line for line in draft_study(tmp_path, "x").splitlines() if " SEX: {type" in line]

    assert "# Sex of the subject: text in 40 of 40 rows" in line
    assert "codes F = Female, U; defined as text, origin CRF" in line


@pytest.mark.parametrize(
    "text",
    [
        "<ODM>",
        "no XML",
        '<!DOCTYPE x [<!ENTITY a "b">]><ODM>&a;</ODM>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ODM>&a;</ODM>',
        '<?xml version="1.0" encoding="no-such"?><ODM/>',
    ],
)
def test_a_document_that_can_not_be_read_is_skipped_with_a_reason(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_csv(tmp_path / "dm.csv", patients())
    path = tmp_path / "define.xml"
    path.write_text(text)

    with pytest.raises(UserError, match="no Define-XML document that can be read"):
        read_define(path)
    assert "study: x" in draft_study(tmp_path, "x")
    assert f"Skipped: {path}: no Define-XML document" in caplog.text


@needs_data
def test_the_pilots_document_of_version_1_has_labels_and_codes() -> None:
    defined = read_define(DATA / "cdisc_pilot01/adam/define.xml")

    age = defined["ADSL"]["AGE"]
    assert (age.label, age.type) == ("Age", "integer")
    assert dict(defined["ADSL"]["AGEGR1"].codes)["<65"] == "<65"
