"""Which texts are written without spaces between words, and which with combining marks."""

# ruff: noqa: RUF001 - characters of other scripts are what is tested

import re
import sys

import pytest

from textclf.search.space import preset_space
from textclf.search.writing import WORDS_WITH_MARKS, Writing

SENTENCES = {
    "Han": "这家酒店的房间很干净。",
    "Kana": "とてもつかいやすいスマホでした。",
    "Thai": "ห้องพักไม่ดีเลย",
    "Lao": "ຂ້ອຍມັກປຶ້ມນີ້ຫຼາຍ",
    "Khmer": "ខ្ញុំចូលចិត្តសៀវភៅនេះ",
    "Myanmar": "ဒီစာအုပ်ကိုကြိုက်တယ်",
}


@pytest.mark.parametrize("script", SENTENCES)
def test_a_script_without_spaces_is_recognized_with_its_vowel_signs(script):
    """A sentence in one of these scripts is wholly unspaced, and its script is named."""
    writing = Writing.from_texts([SENTENCES[script]])
    assert writing == Writing(1.0, (script,))
    assert writing.has_unspaced
    assert not writing.has_spaced


@pytest.mark.parametrize(
    "text",
    [
        "plain English",
        "naïve café, größer",
        "방이 아주 깨끗했어요",  # Korean has spaces
        "Очень хороший отель",
        "ЖК-экран, 12 мес. 😀",
        "great 😀🎉、。！？「」",
        "ＦＵＬＬ ｗｉｄｔｈ",
        "๑๒๓ ฿ 2023",
        "12:30 — 15%",
        "",
    ],
)
def test_other_scripts_emoji_punctuation_and_full_width_latin_do_not_count(text):
    """They are not writing without spaces, whatever block of Unicode they stand in."""
    writing = Writing.from_texts([text, "a"])
    assert writing == Writing(0.0, ())
    assert writing.has_spaced
    assert not writing.has_unspaced


@pytest.mark.parametrize(
    ("texts", "words", "characters"),
    [
        ([], True, False),
        (["字" * 9 + "x" * 91], True, False),
        (["字" * 10 + "x" * 90], True, True),
        (["字" * 79 + "x" * 21], True, True),
        (["字" * 80 + "x" * 20], False, True),
        (["字 " + "x" * 99] * 100, True, False),  # in every row, but of no weight
        (["字字"] * 9 + ["x" * 500] * 91, True, False),
        (["字字"] * 10 + ["x" * 500] * 90, True, True),  # of weight, though the others are long
        (["字字ＡＢＣ！😀 2023"] * 4 + ["x"], False, True),
        (["字字"] * 4 + ["x"] + ["123", "😀"] * 50, False, True),  # without letters: no say
    ],
)
def test_the_share_of_the_letters_of_the_average_text_decides(texts, words, characters):
    """From a tenth on character n-grams are searched; from four fifths on, no words."""
    writing = Writing.from_texts(texts)
    assert (writing.has_spaced, writing.has_unspaced) == (words, characters)


def test_rare_scripts_are_not_named():
    """The scripts are named by frequency, without those of less than a twentieth of the letters."""
    writing = Writing.from_texts(["ひらがな漢字" * 20, "ไทย"])
    assert writing.scripts == ("Kana", "Han")


def test_of_many_texts_some_are_looked_at_from_first_to_last():
    """A data set that is sorted by language counts as mixed."""
    writing = Writing.from_texts(["字"] * 15_000 + ["x"] * 15_000)
    assert writing.unspaced == pytest.approx(0.5, abs=0.01)


MARKED = {
    "accents": "Le cafe\u0301, nai\u0308f!",
    "Arabic": "كَتَبَ الوَلَدُ.",
    "Bengali": "ছবিটি খুব ভালো ছিল।",
    "Devanagari": "यह फ़िल्म बहुत अच्छी थी।",
    "Gujarati": "આ ફિલ્મ ખૂબ સારી હતી.",
    "Gurmukhi": "ਇਹ ਫ਼ਿਲਮ ਬਹੁਤ ਚੰਗੀ ਸੀ।",
    "Hebrew": "שָׁלוֹם, עוֹלָם!",
    "Kannada": "ಚಿತ್ರ ತುಂಬಾ ಚೆನ್ನಾಗಿತ್ತು.",
    "Malayalam": "സിനിമ വളരെ നന്നായിരുന്നു.",
    "Odia": "ଛବିଟି ବହୁତ ଭଲ ଥିଲା।",
    "Sinhala": "කතාව ඉතා හොඳයි.",
    "Tamil": "படம் மிகவும் நன்றாக இருந்தது.",
    "Telugu": "సినిమా చాలా బాగుంది.",
    "Thaana": "ދިވެހި ރާއްޖެ.",
    "Tibetan": "བོད་ཡིག",
}
USUAL = r"\w+|[^\w\s]"


def patterns(preset, texts):
    """The token patterns that a preset searches for texts."""
    space = preset_space(preset, Writing.from_texts(texts))
    return {p for grid in space for p in grid["features"].get("word", {}).get("token_pattern", [])}


@pytest.mark.parametrize("script", MARKED)
def test_words_of_scripts_with_combining_marks_are_whole(script):
    """Every preset searches words with their marks, and punctuation is a token of its own."""
    text = MARKED[script]
    for preset in ("fast", "default", "thorough"):
        assert patterns(preset, [text]) == {WORDS_WITH_MARKS}
    assert re.findall(WORDS_WITH_MARKS, text) == re.findall(r"[^\s.,!।་]+|\S", text)
    assert re.findall(USUAL, text) != re.findall(WORDS_WITH_MARKS, text)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([MARKED["Tamil"]] + ["plain English"] * 9, {WORDS_WITH_MARKS}),
        ([MARKED["Tamil"]] + ["plain English"] * 10, {USUAL}),
        ([MARKED["Tamil"]] + ["plain English"] * 9 + ["123"] * 9, {WORDS_WITH_MARKS}),
        (["great \u2764\ufe0f 1\ufe0f\u20e3", "caf\u00e9", "Việt Nam", "한국어"], {USUAL}),
        (list(SENTENCES.values()), set()),
        ([SENTENCES["Thai"], "plain English"], {USUAL}),
        ([], {USUAL}),
    ],
)
def test_words_include_combining_marks_where_a_tenth_of_the_texts_have_them(texts, expected):
    """Emoji and writing without spaces have marks that do not count, digits alone have no say."""
    assert patterns("default", texts) == expected


def test_without_combining_marks_tokens_are_the_usual_ones():
    """In a text of all characters but marks of those scripts the two patterns find the same."""
    characters = map(chr, range(sys.maxunicode + 1))
    text = "x".join(
        char for char in characters if not "\u0300" <= char < "\u1000" or char.isalnum()
    )
    assert re.findall(WORDS_WITH_MARKS, text) == re.findall(USUAL, text)
