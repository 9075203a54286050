"""The names under which the last line of an address is taken for a country, and how far away each is.

A line is compared without case, accents, blanks, punctuation and a leading "the".
"""

import unicodedata
from enum import StrEnum
from functools import cache

UNITED_KINGDOM = "United Kingdom"


class PostageZone(StrEnum):
    """As Notify writes it in `postage`; at home it says `first` or `second` instead."""

    UNITED_KINGDOM = "united-kingdom"
    EUROPE = "europe"
    REST_OF_WORLD = "rest-of-world"


# Semicolons between the countries; the other names of each after its colon.
_HOME = """
United Kingdom: UK, U.K., GB, GBR, Great Britain, Britain, United Kingdom of Great Britain and Northern
Ireland; United Kingdom: England, Scotland, Wales, Cymru, Northern Ireland, N Ireland, NI, North Ireland,
Lloegr, Yr Alban; United Kingdom: Channel Islands, Jersey, Guernsey, Alderney, Sark, Herm, Isle of Man,
Bailiwick of Jersey; United Kingdom: Bailiwick of Guernsey, Brecqhou, Jethou, Lihou, Y Deyrnas Unedig,
Gogledd Iwerddon, Ynys Manaw
"""

_EUROPE = """
Albania: Republic of Albania, Shqipëria; Andorra: Principality of Andorra; Armenia: Republic of Armenia;
Austria: Österreich, Republic of Austria, Awstria; Azerbaijan: Republic of Azerbaijan; Azores: Autonomous
Region of the Azores, Açores; Balearic Islands: Balearics, Illes Balears, Islas Baleares, Majorca,
Mallorca, Menorca, Minorca, Ibiza, Formentera; Belarus: Republic of Belarus, Belorussia; Belgium:
Belgique, België, Belgien, Kingdom of Belgium, Gwlad Belg; Bosnia and Herzegovina: Bosnia,
Bosnia-Herzegovina, Bosna i Hercegovina; Bulgaria: Republic of Bulgaria, Bwlgaria; Canary Islands:
Canaries, Islas Canarias, Tenerife, Gran Canaria, Lanzarote, Fuerteventura, La Palma, La Gomera; Corsica:
Corse; Croatia: Hrvatska, Republic of Croatia; Cyprus: Republic of Cyprus, Northern Cyprus; Czechia: Czech
Republic, Czechoslovakia, Česko; Denmark: Danmark, Kingdom of Denmark, Denmarc; Estonia: Eesti, Republic
of Estonia; Faroe Islands: Faroes, Føroyar; Finland: Suomi, Republic of Finland, Y Ffindir; France: French
Republic, République française, Metropolitan France, Ffrainc; Georgia: Sakartvelo; Germany: Deutschland,
Federal Republic of Germany, West Germany, East Germany, Yr Almaen; Gibraltar; Greece: Hellas, Hellenic
Republic, Ellada, Gwlad Groeg; Greenland: Kalaallit Nunaat; Hungary: Magyarország, Hwngari; Iceland:
Ísland, Gwlad yr Iâ; Ireland: Éire, Republic of Ireland, Rep of Ireland, ROI, Irish Republic, Southern
Ireland, South Ireland, Iwerddon; Italy: Italia, Italian Republic, Yr Eidal; Kazakhstan: Republic of
Kazakhstan; Kosovo: Republic of Kosovo; Kyrgyzstan: Kyrgyz Republic; Latvia: Latvija, Republic of Latvia;
Liechtenstein: Principality of Liechtenstein; Lithuania: Lietuva, Republic of Lithuania; Luxembourg:
Luxemburg, Grand Duchy of Luxembourg, Lwcsembwrg; Madeira: Autonomous Region of Madeira, Região Autónoma
da Madeira; Malta: Republic of Malta; Moldova: Republic of Moldova; Monaco: Principality of Monaco;
Montenegro: Crna Gora; Netherlands: Holland, Nederland, Kingdom of the Netherlands, Yr Iseldiroedd; North
Macedonia: Macedonia, FYROM, Republic of North Macedonia; Norway: Norge, Kingdom of Norway, Norwy; Poland:
Polska, Republic of Poland, Gwlad Pwyl; Portugal: Portuguese Republic, Portiwgal; Romania: România,
Rumania; Russia: Russian Federation, Rossiya, Rwsia; San Marino: Republic of San Marino; Serbia: Srbija,
Republic of Serbia; Slovakia: Slovak Republic, Slovensko; Slovenia: Slovenija, Republic of Slovenia;
Spain: España, Kingdom of Spain, Sbaen; Sweden: Sverige, Kingdom of Sweden; Switzerland: Schweiz, Suisse,
Svizzera, Swiss Confederation, Y Swistir; Tajikistan: Republic of Tajikistan; Turkey: Türkiye, Republic of
Turkey, Twrci; Turkmenistan; Ukraine: Ukraina, Wcráin; Uzbekistan: Republic of Uzbekistan; Vatican City:
Vatican, Holy See, Vatican City State
"""

_WORLD = """
Afghanistan; Algeria; American Samoa; Angola; Anguilla; Antigua and Barbuda: Antigua, Barbuda; Argentina:
Argentine Republic, Yr Ariannin; Aruba; Ascension: Ascension Island; Australia: Commonwealth of Australia,
Awstralia; Bahamas: Commonwealth of the Bahamas; Bahrain: Kingdom of Bahrain; Bangladesh; Barbados;
Belize; Benin; Bermuda; Bhutan; Bolivia: Plurinational State of Bolivia; Bonaire; Botswana; Brazil:
Brasil, Federative Republic of Brazil; British Antarctic Territory; British Indian Ocean Territory;
British Virgin Islands: Virgin Islands (British), BVI; Brunei: Brunei Darussalam; Burkina Faso; Burundi;
Cambodia: Kingdom of Cambodia; Cameroon; Canada; Cape Verde: Cabo Verde; Cayman Islands; Central African
Republic; Ceuta; Chad; Chile; China: People's Republic of China, PRC, Tsieina; Christmas Island; Cocos
(Keeling) Islands: Cocos Islands; Colombia; Comoros; Congo: Republic of the Congo, Congo-Brazzaville;
Congo (Democratic Republic): Democratic Republic of the Congo, DRC, DR Congo, Zaire, Congo-Kinshasa; Cook
Islands; Costa Rica; Cuba; Curaçao; Djibouti; Dominica: Commonwealth of Dominica; Dominican Republic;
Dubai: Dubai UAE; Abu Dhabi; Ajman; Fujairah; Ras al-Khaimah; Sharjah; Umm al-Quwain; East Timor:
Timor-Leste; Ecuador; Egypt: Arab Republic of Egypt, Yr Aifft; El Salvador; Equatorial Guinea; Eritrea;
Eswatini: Swaziland; Ethiopia; Falkland Islands: Falklands, Falkland; Fiji; French Guiana; French
Polynesia: Tahiti; French Southern Territories; Gabon; Ghana; Grenada; Guadeloupe; Guam; Guatemala;
Guinea; Guinea-Bissau; Guyana; Haiti; Honduras; Hong Kong: Hong Kong SAR; India: Republic of India,
Bharat; Indonesia: Republic of Indonesia; Iran: Islamic Republic of Iran; Iraq: Republic of Iraq; Israel:
State of Israel; Ivory Coast: Côte d'Ivoire; Jamaica; Japan: Nippon, Siapan; Jordan: Hashemite Kingdom of
Jordan; Kenya: Republic of Kenya; Kiribati; Kuwait: State of Kuwait; Laos: Lao People's Democratic
Republic; Lebanon; Lesotho; Liberia; Libya; Macao: Macau; Madagascar; Malawi; Malaysia; Maldives; Mali;
Marshall Islands; Martinique; Mauritania; Mauritius; Mayotte; Melilla; Mexico: México, United Mexican
States; Micronesia: Federated States of Micronesia; Mongolia; Montserrat; Morocco: Kingdom of Morocco;
Mozambique; Myanmar (Burma): Myanmar, Burma; Namibia; Nauru; Nepal; New Caledonia; New Zealand: Aotearoa,
NZ, Seland Newydd; Nicaragua; Niger; Nigeria: Federal Republic of Nigeria; Niue; Norfolk Island; North
Korea: DPRK, Democratic People's Republic of Korea; Northern Mariana Islands; Oman: Sultanate of Oman;
Pakistan: Islamic Republic of Pakistan; Palau; Occupied Palestinian Territories: Palestine, State of
Palestine, Palestinian Territory, West Bank, Gaza; Panama; Papua New Guinea; Paraguay; Peru; Philippines:
Republic of the Philippines; Puerto Rico; Pitcairn, Henderson, Ducie and Oeno Islands: Pitcairn, Pitcairn
Island, Pitcairn Islands; Qatar: State of Qatar; Réunion: Reunion Island; Rwanda; Saba; Samoa: Western
Samoa; Sao Tome and Principe: São Tomé and Príncipe; Saudi Arabia: Kingdom of Saudi Arabia, KSA; Senegal;
Seychelles; Sierra Leone; Singapore: Republic of Singapore; Sint Eustatius; Sint Maarten (Dutch part):
Sint Maarten, St Maarten; Solomon Islands; Somalia; Somaliland; South Africa: Republic of South Africa,
RSA, De Affrica; South Korea: Korea, Republic of Korea; South Sudan; South Georgia and the South Sandwich
Islands: South Georgia; Sri Lanka: Ceylon; Saint Helena: St Helena; Saint-Barthélemy: St Barthelemy;
Saint-Martin (French part): Saint Martin, St Martin; Saint Pierre and Miquelon: St Pierre and Miquelon; St
Kitts and Nevis: Saint Kitts and Nevis, St Kitts, Saint Kitts; St Lucia: Saint Lucia; St Vincent: Saint
Vincent and the Grenadines, St Vincent and the Grenadines; Sudan; Suriname; Svalbard and Jan Mayen:
Svalbard; Syria: Syrian Arab Republic; Taiwan: Republic of China; Tanzania: United Republic of Tanzania;
Thailand: Kingdom of Thailand; Gambia; Togo; Tokelau; Tonga; Trinidad and Tobago: Trinidad, Tobago;
Tristan da Cunha: Tristan; Tunisia; Turks and Caicos Islands; Tuvalu; Uganda; United Arab Emirates: UAE,
Emirates; United States Virgin Islands: US Virgin Islands, USVI; United States: USA, US, U.S.A., United
States of America, America, Hawaii, Yr Unol Daleithiau, UDA; Uruguay; Vanuatu; Venezuela; Vietnam: Viet
Nam; Wallis and Futuna; Western Sahara; Yemen; Zambia; Zimbabwe
"""

_LISTINGS = (
    (_HOME, PostageZone.UNITED_KINGDOM),
    (_EUROPE, PostageZone.EUROPE),
    (_WORLD, PostageZone.REST_OF_WORLD),
)


def find_country(line: str) -> tuple[str, PostageZone] | None:
    """The country's own name and its zone, or None where the line names no country."""
    return _countries().get(_key(line))


@cache
def _countries() -> dict[str, tuple[str, PostageZone]]:
    return {
        _key(name): (country, zone)
        for listing, zone in _LISTINGS
        for country, names in map(_entry, listing.split(";"))
        for name in names
    }


def _entry(text: str) -> tuple[str, list[str]]:
    country, colon, others = " ".join(text.split()).partition(":")
    return country, [country, *(others.split(",") if colon else ())]


def _key(name: str) -> str:
    spelled_out = name.replace("&", "and").replace("+", "and").casefold().strip().removeprefix("the ")
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", spelled_out)))
