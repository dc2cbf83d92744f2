"""Jurisdictions as filings name them, and the country each lies in (ISO 3166-1 alpha-2)."""

from __future__ import annotations

import re

_STATES = (
    "alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|district of columbia|florida|georgia"
    "|hawaii|idaho|illinois|indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi"
    "|missouri|montana|nebraska|nevada|new hampshire|new jersey|new mexico|new york|north carolina|north dakota|ohio"
    "|oklahoma|oregon|pennsylvania|rhode island|south carolina|south dakota|tennessee|texas|utah|vermont|virginia"
    "|washington|west virginia|wisconsin|wyoming|united states|united states of america|usa|us|u.s.|u.s.a."
)
_PROVINCES = (
    "alberta|british columbia|manitoba|new brunswick|newfoundland|newfoundland and labrador|nova scotia|ontario"
    "|prince edward island|quebec|québec|saskatchewan|yukon|canada"
)
_BRITISH = (
    "united kingdom|uk|u.k.|england|england and wales|england & wales|scotland|wales|northern ireland|great britain"
)
_NAMES = {
    "AE": "united arab emirates|uae|dubai|abu dhabi",
    "AR": "argentina",
    "AT": "austria",
    "AU": "australia|new south wales|victoria|queensland|western australia",
    "BB": "barbados",
    "BE": "belgium",
    "BG": "bulgaria",
    "BH": "bahrain",
    "BM": "bermuda",
    "BO": "bolivia",
    "BR": "brazil",
    "BS": "bahamas|the bahamas",
    "CA": _PROVINCES,
    "CH": "switzerland",
    "CL": "chile",
    "CN": "china|people's republic of china|peoples republic of china|prc|p.r.c.|p.r. china|shanghai|beijing",
    "CO": "colombia",
    "CR": "costa rica",
    "CW": "curaçao|curacao",
    "CY": "cyprus",
    "CZ": "czech republic|czechia",
    "DE": "germany|federal republic of germany",
    "DK": "denmark",
    "DO": "dominican republic",
    "EC": "ecuador",
    "EE": "estonia",
    "EG": "egypt",
    "ES": "spain",
    "FI": "finland",
    "FR": "france",
    "GB": _BRITISH,
    "GG": "guernsey",
    "GH": "ghana",
    "GI": "gibraltar",
    "GR": "greece",
    "GT": "guatemala",
    "HK": "hong kong|hong kong sar",
    "HN": "honduras",
    "HR": "croatia",
    "HU": "hungary",
    "ID": "indonesia",
    "IE": "ireland|republic of ireland",
    "IL": "israel",
    "IM": "isle of man",
    "IN": "india",
    "IS": "iceland",
    "IT": "italy",
    "JE": "jersey",
    "JM": "jamaica",
    "JO": "jordan",
    "JP": "japan",
    "KE": "kenya",
    "KR": "korea|south korea|republic of korea",
    "KW": "kuwait",
    "KY": "cayman islands|cayman|the cayman islands",
    "KZ": "kazakhstan",
    "LB": "lebanon",
    "LI": "liechtenstein",
    "LK": "sri lanka",
    "LR": "liberia",
    "LT": "lithuania",
    "LU": "luxembourg",
    "LV": "latvia",
    "MA": "morocco",
    "MH": "marshall islands|republic of the marshall islands",
    "MO": "macau|macao",
    "MT": "malta",
    "MU": "mauritius",
    "MX": "mexico|méxico",
    "MY": "malaysia|labuan",
    "NG": "nigeria",
    "NL": "netherlands|the netherlands|holland",
    "NO": "norway",
    "NZ": "new zealand",
    "PA": "panama",
    "PE": "peru",
    "PH": "philippines|the philippines",
    "PK": "pakistan",
    "PL": "poland",
    "PR": "puerto rico",
    "PT": "portugal",
    "PY": "paraguay",
    "QA": "qatar",
    "RO": "romania",
    "RS": "serbia",
    "RU": "russia|russian federation",
    "SA": "saudi arabia|kingdom of saudi arabia",
    "SE": "sweden",
    "SG": "singapore",
    "SI": "slovenia",
    "SK": "slovakia|slovak republic",
    "SV": "el salvador",
    "TH": "thailand",
    "TN": "tunisia",
    "TR": "turkey|türkiye",
    "TW": "taiwan|taiwan, r.o.c.|republic of china",
    "UA": "ukraine",
    "US": _STATES,
    "UY": "uruguay",
    "VE": "venezuela",
    "VG": "british virgin islands|bvi|the british virgin islands",
    "VI": "us virgin islands|u.s. virgin islands",
    "VN": "vietnam|viet nam",
    "ZA": "south africa|republic of south africa",
}
_COUNTRY = {name: code for code, names in _NAMES.items() for name in names.split("|")}


def country(jurisdiction: str) -> str:
    """Country code of a named jurisdiction (`Delaware` is in the US); "" if the name is not known.

    Two letters are no name: `DE` is Delaware to one filer and Germany to another.
    """
    name = " ".join(jurisdiction.replace("’", "'").casefold().split()).strip(" .,;:*()")
    name = re.sub(r"^(?:the )?(?:state|commonwealth|province|republic|kingdom) of ", "", name)
    return (
        _COUNTRY.get(name) or _COUNTRY.get(name + ".") or _COUNTRY.get(re.sub(r",? (?:usa|us|u\.s\.a?)$", "", name), "")
    )
