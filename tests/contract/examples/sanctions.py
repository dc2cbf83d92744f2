"""A made-up list in the layout of the EU's consolidated list of financial sanctions, as XML of two dates and as CSV."""

from __future__ import annotations

BAD = b'<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2024-03-01T00:00:00Z"/>'

PORT = """<sanctionEntity designationDate="2022-03-15" euReferenceNumber="EU.9001.1" unitedNationId="" logicalId="1">
  <regulation regulationType="regulation" publicationDate="2022-03-15" entryIntoForceDate="2022-03-16"
   numberTitle="2022/9901 (OJ L901)" programme="HARBOUR" logicalId="11"/>
  <regulation regulationType="amendment" publicationDate="2023-06-02" entryIntoForceDate="2023-06-03"
   numberTitle="2023/9902 (OJ L902)" programme="QUAY" logicalId="12"/>
  <subjectType code="enterprise" classificationCode="E"/>
  <nameAlias wholeName="Grebe Port Services JSC" strong="true" nameLanguage="EN" logicalId="21"/>
  <nameAlias wholeName="АО Портовые услуги Гребе" strong="true" nameLanguage="RU" logicalId="22">
   <regulationSummary regulationType="amendment" publicationDate="2023-06-02"/></nameAlias>
  <nameAlias wholeName="格雷贝港口服务" strong="true" nameLanguage="ZH" logicalId="23"/>
  <nameAlias wholeName="GPS" strong="false" logicalId="24"/>
  <address city="Grebeport" countryIso2Code="RU" logicalId="31"/>
  <address city="Nowhere" countryIso2Code="00" logicalId="32"/>
  <identification number="7799000001" identificationTypeCode="regnumber" countryIso2Code="RU" logicalId="41"/>
  <identification number="GREBRUMM" identificationTypeCode="swiftbic" countryIso2Code="RU" logicalId="42"/>
 </sanctionEntity>"""
ANTON = """<sanctionEntity euReferenceNumber="EU.9002.7" logicalId="2">
  <regulation regulationType="regulation" publicationDate="2019-01-20" entryIntoForceDate="2019-01-21"
   numberTitle="2019/77 (OJ L77)" programme="HARBOUR" logicalId="13"/>
  <subjectType code="person" classificationCode="P"/>
  <nameAlias firstName="Anton" middleName="" lastName="Kranich" wholeName="" strong="true" logicalId="25"/>
  <nameAlias wholeName="أنطون كرانيش" strong="true" nameLanguage="AR" logicalId="26"/>
  <citizenship countryIso2Code="BY" logicalId="51"/>
  <birthdate birthdate="1966-08-09" year="1966" logicalId="61"/>
  <identification number="P0001" identificationTypeCode="passport" countryIso2Code="BY" logicalId="43"/>
 </sanctionEntity>"""


def listed(generated: str, *entries: str) -> bytes:
    """The XML of one date."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<export xmlns="http://eu.europa.ec/fpi/fsd/export" '
        f'generationDate="{generated}" globalFileId="1">\n {" ".join(entries)}\n</export>'
    ).encode()


HEAD = (
    "fileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;Entity_DesignationDate;Entity_SubjectType;"
    "Entity_SubjectType_ClassificationCode;Entity_Regulation_Type;Entity_Regulation_PublicationDate;"
    "Entity_Regulation_EntryIntoForceDate;Entity_Regulation_NumberTitle;Entity_Regulation_Programme;"
    "NameAlias_WholeName;NameAlias_NameLanguage;Address_CountryIso2Code;Identification_Number;"
    "Identification_TypeCode;Identification_CountryIso2Code;BirthDate_BirthDate;Citizenship_CountryIso2Code"
)
_START = "01/02/2024;7;EU.9007.3;04/05/2021;E;enterprise;regulation;2021-05-05;2021-05-06;2021/55 (OJ L55);REEDS;"
CSV = "\n".join(
    (
        HEAD,
        f"{_START}Heron Trading FZE;EN;;;;;;",
        f"{_START}هيرون للتجارة;AR;;;;;;",
        f"{_START};;AE;;;;;",
        f"{_START};;;L-4411;regnumber;AE;;",
    )
).encode()


def good() -> dict[str, bytes]:
    return {
        "list-2024-01.xml": listed("2024-01-31T00:00:00.000+01:00", PORT, ANTON),
        "list-2024-03.xml": listed("2024-03-31T00:00:00.000+01:00", PORT),
        "list.csv": CSV,
    }
