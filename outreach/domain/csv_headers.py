"""What lists call their columns, in the languages that operators bring; a table of synonyms per field."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

MAX_KEY = 60


class Field(StrEnum):
    """What a column of a list can say about a person."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    PHONE = "phone"
    EMAIL = "email"
    ORGANISATION = "organisation"
    LANGUAGE = "language"
    TIME_ZONE = "time_zone"
    PRIORITY = "priority"
    CONSENT_BASIS = "consent_basis"
    CONSENT_SOURCE = "consent_source"
    COUNTRY = "country"


#: Accepted headers, the plainest first; case, accents, spaces and punctuation do not matter.
_WORDS: dict[Field, str] = {
    Field.NAME: (
        "name, full name, contact name, person, facilitator, contact, display name, nombre, "
        "nombre completo, nombre y apellidos, nom, nom complet, nom et prénom, vollständiger name, "
        "ansprechpartner, nome, nome completo, nominativo, naam, volledige naam, namn, navn, nimi, "
        "imię i nazwisko, jméno, név, nume, ad soyad, isim, имя, фио, ім'я, піб, όνομα, 姓名, 名字, "
        "名前, 氏名, 이름, 성명, नाम, الاسم, שם"
    ),
    Field.FIRST_NAME: (
        "first name, first, given name, forename, vorname, prénom, primer nombre, nombre de pila, "
        "primo nome, primeiro nome, voornaam, förnamn, fornavn, etunimi, imię, křestní jméno, prenume"
    ),
    Field.LAST_NAME: (
        "last name, last, surname, family name, nachname, familienname, nom de famille, apellido, "
        "apellidos, cognome, sobrenome, apelido, achternaam, efternamn, etternavn, efternavn, "
        "sukunimi, nazwisko, příjmení, soyad, soyadı, фамилия, прізвище"
    ),
    Field.PHONE: (
        "phone, phone number, telephone, telephone number, tel, tel no, mobile, mobile number, "
        "mobile phone, cell, cell phone, cellphone number, contact number, phone 1, phone no, number, "
        "e164, msisdn, whatsapp, telefon, telefonnummer, rufnummer, handy, handynummer, mobil, "
        "mobilnummer, téléphone, numéro, numéro de téléphone, portable, teléfono, número, "
        "número de teléfono, móvil, celular, telefono, numero di telefono, cellulare, telefone, "
        "telemóvel, telefoon, telefoonnummer, mobiel, puhelin, puhelinnumero, numer telefonu, komórka, "
        "telefonszám, cep, cep telefonu, телефон, номер телефона, мобильный, номер телефону, τηλέφωνο, "
        "电话, 电话号码, 手机, 手机号, 電話, 電話番号, 携帯, 전화, 전화번호, 휴대폰, फ़ोन, الهاتف, "
        "رقم الهاتف, טלפון"
    ),
    Field.EMAIL: (
        "email, e-mail, email address, mail, e-mail-adresse, courriel, adresse e-mail, correo, "
        "correo electrónico, posta elettronica, correio eletrônico, e-mailadres, e-post, sähköposti, "
        "e-posta, почта, электронная почта, пошта, 邮箱, 电子邮件, メール, 이메일, البريد الإلكتروني"
    ),
    Field.ORGANISATION: (
        "organisation, organization, company, company name, employer, institution, school, firm, "
        "firma, unternehmen, société, entreprise, organisme, empresa, organización, organização, "
        "azienda, società, organizzazione, bedrijf, organisatie, företag, firmanavn, yritys, şirket, "
        "компания, организация, компанія, 公司, 会社, 회사, شركة"
    ),
    Field.LANGUAGE: (
        "language, lang, locale, preferred language, sprache, langue, idioma, lingua, língua, taal, "
        "språk, sprog, kieli, język, jazyk, dil, язык, мова, 语言, 言語, 언어, اللغة"
    ),
    Field.TIME_ZONE: (
        "time zone, timezone, tz, iana time zone, zeitzone, fuseau horaire, fuseau, zona horaria, "
        "huso horario, fuso orario, fuso horário, tijdzone, tidszon, tidssone, tidszone, aikavyöhyke, "
        "strefa czasowa, saat dilimi, часовой пояс, часовий пояс, 时区, タイムゾーン, 시간대"
    ),
    Field.PRIORITY: (
        "priority, prio, rank, priorität, priorité, prioridad, priorità, prioridade, prioriteit, "
        "prioritet, prioriteetti, priorytet, öncelik, приоритет, пріоритет, 优先级, 優先度, 우선순위"
    ),
    Field.CONSENT_BASIS: (
        "consent basis, consent, legal basis, opt in, einwilligung, rechtsgrundlage, consentement, "
        "base légale, consentimiento, base jurídica, consenso, consentimento, toestemming, samtycke, "
        "samtykke, suostumus, zgoda, согласие, згода, 同意"
    ),
    Field.CONSENT_SOURCE: (
        "consent source, consent date, consent proof, consent reference, opt in date, opt in source, "
        "consented at, quelle der einwilligung, source du consentement, origen del consentimiento, "
        "fonte del consenso, origem do consentimento"
    ),
    Field.COUNTRY: (
        "country, country code, land, pays, país, paese, maa, kraj, země, ülke, страна, країна, 国家, "
        "国, 국가, الدولة"
    ),
}

#: Accepted headers per field, as people write them.
SYNONYMS: dict[Field, tuple[str, ...]] = {field: tuple(words.split(", ")) for field, words in _WORDS.items()}


def header_key(header: str) -> str:
    """Return a header as the script's placeholder names it: "Years at work" becomes "years_at_work"."""
    letters: list[str] = []
    for char in unicodedata.normalize("NFKD", header.casefold()):
        if unicodedata.combining(char):
            continue
        letters.append(char if unicodedata.category(char)[0] in "LNM" else "_")
    joined = re.sub("_+", "_", "".join(letters)).strip("_")
    return unicodedata.normalize("NFC", joined)[:MAX_KEY].strip("_")
