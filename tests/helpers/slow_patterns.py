"""Token patterns that are not accepted, because it takes long to compile them or to match anything.

One of 42 KB of such ranges took 70 seconds; repetitions of nothing take as many steps as they are.
"""

SLOW_PATTERNS = {
    "many characters": "|".join(["[a-z]+"] * 200),
    "42 KB": "(?i)" + r"[!-\uffff]" * 4_200,
    "many wide ranges": "(?i)[!-\uffff]" * 150,
    "many escaped ranges": r"[\0-\uffff]" * 90,
    "many ranges in one class": "(?i)[" + "!-\uffff" * 300 + "]",
    "repetitions of repetitions": "(?:(?:(?:a?){65535}){65535}){65535}",
    "repetitions of nothing": "(?:){1000000}",
    "deep nesting": "(?:" * 400 + ")*" * 100,
    "many groups": "(a)|" * 30 + "b",
}
