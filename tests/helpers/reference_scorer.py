"""The compiled scorer, read by docs/scorer-format.md alone: no re, no str.lower, no textclf.

Where this and textclf agree, the document says enough for another language.
"""

import json
import math
import struct
import unicodedata
import zlib

SIGMA, FINAL_SIGMA, SMALL_SIGMA = 0x3A3, 0x3C2, 0x3C3
CODES = {"F64": "d", "U32": "I", "U8": "B"}


class Book:
    """A scorer file with all its arrays in memory."""

    def __init__(self, data):
        (length,) = struct.unpack_from("<Q", data)
        head = json.loads(data[8 : 8 + length])
        about = head.pop("__metadata__")
        assert about["format"] == "textclf-scorer"
        assert about["schema"] in {"1", "2"}
        assert (8 + length) % 64 == 0
        self.settings = json.loads(about["scorer"])
        self.arrays = {}
        for name, entry in head.items():
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            code = CODES[entry["dtype"]]
            assert begin % struct.calcsize(code) == 0
            count = math.prod(entry["shape"])
            assert struct.calcsize(f"<{count}{code}") == end - begin
            self.arrays[name] = struct.unpack_from(f"<{count}{code}", data, begin)
        self.tables = {
            name: {code for first, last in pairs(self.arrays[f"unicode.{name}"])
                   for code in range(first, last + 1)}
            for name in ("word", "space", "cased", "ignorable", "combining")
        }  # fmt: skip
        lower = self.arrays["unicode.lower"]
        self.lower = {
            lower[at]: [code for code in lower[at + 1 : at + 3] if code]
            for at in range(0, len(lower), 3)
        }

    def predict(self, text):
        """Label and scores, in the order of the labels."""
        settings = self.settings
        values = list(settings["intercept"])
        for number, block in enumerate(settings["blocks"]):
            for value, weights in self.weighed(str(number), block, text):
                for k, weight in enumerate(weights):
                    values[k] += value * weight
        z = values if len(values) > 1 else [-values[0], values[0]]
        return settings["labels"][z.index(max(z))], self.scores(values, z)

    def count_known(self, text):
        """The number of known n-grams in the blocks that count, and of all in them."""
        blocks = list(enumerate(self.settings["blocks"]))
        kinds = {block["kind"] for _, block in blocks}
        if "word" in kinds and "char" not in kinds:
            blocks = [(number, block) for number, block in blocks if block["kind"] == "word"]
        known = [
            self.look_up(str(number), gram) is not None
            for number, block in blocks
            for gram in self.grams(block, text)
        ]
        return sum(known), len(known)

    def scores(self, values, z):
        """Scores from decision values."""
        link = self.settings["link"]
        if link == "none":
            return z
        if link == "softmax":
            powers = [math.exp(self.settings["scale"] * (value - max(z))) for value in z]
            return [power / sum(powers) for power in powers]
        if link == "logistic":
            shares = [1 / (1 + math.exp(-value)) for value in values]
        else:
            shares = [(min(1, max(-1, value)) + 1) / 2 for value in values]
        if len(shares) == 1:
            return [1 - shares[0], shares[0]]
        total = sum(shares)
        return [share / total if total else 1 / len(shares) for share in shares]

    def weighed(self, name, block, text):
        """The known n-grams of a block: value and weights."""
        counts = {}
        for gram in self.grams(block, text):
            counts[gram] = counts.get(gram, 0) + 1
        known = []
        for gram, count in counts.items():
            row = self.look_up(name, gram)
            if row:
                c = 1 if block["binary"] else count
                t = 1 + math.log(c) if block["sublinear_tf"] else c
                known.append((t * row[0], row[1:]))
        norm = 1
        if block["norm"] == "l2":
            norm = math.sqrt(sum(v * v for v, _ in known))
        elif block["norm"] == "l1":
            norm = sum(abs(v) for v, _ in known)
        return [(v / norm, weights) for v, weights in known]

    def look_up(self, name, gram):
        """The row of an n-gram."""
        gram = "".join(map(chr, gram)).encode("utf-8", "surrogatepass")
        rows, starts, ends, text = (
            self.arrays[f"{name}.{part}"] for part in ("rows", "starts", "ends", "text")
        )
        h = zlib.crc32(gram) % (len(starts) - 1)
        width = 1 + self.settings["outputs"]
        for i in range(starts[h], starts[h + 1]):
            if bytes(text[ends[i] : ends[i + 1]]) == gram:
                return rows[width * i : width * (i + 1)]
        return None

    def grams(self, block, text):
        """The n-grams of a text, as code points."""
        lo, hi = block["ngram_range"]
        codes = self.without_accents(block, self.lowered(block, [ord(char) for char in text]))
        if block["kind"] == "word":
            tokens = [t for t in self.tokens(block["runs"], codes)
                      if "".join(map(chr, t)) not in block["stop_words"]]  # fmt: skip
            for n in range(lo, hi + 1):
                for at in range(len(tokens) - n + 1):
                    yield tuple(join(tokens[at : at + n]))
        elif block["kind"] == "char":
            yield from pieces(self.with_single_spaces(codes), lo, hi)
        else:
            for word in self.runs(codes, lambda code: code not in self.tables["space"]):
                padded = [32, *word, 32]
                yield from pieces(padded, lo, hi)
                if len(padded) < lo:
                    yield tuple(padded)

    def tokens(self, runs, codes):
        """Tokens in simple words."""
        word, space = self.tables["word"], self.tables["space"]
        at = 0
        while at < len(codes):
            if runs["singles"] and codes[at] not in word and codes[at] not in space:
                yield [codes[at]]
                at += 1
                continue
            end = at
            while end < len(codes) and (
                codes[end] in word if runs["of"] == "word" else codes[end] not in space
            ):
                end += 1
            if end - at >= runs["least"]:
                yield codes[at:end]
            at = max(end, at + 1)

    def runs(self, codes, of):
        """The longest runs of characters of a class."""
        run = []
        for code in [*codes, None]:
            if code is not None and of(code):
                run.append(code)
            elif run:
                yield run
                run = []

    def with_single_spaces(self, codes):
        """Two white spaces or more become one."""
        out = []
        at = 0
        while at < len(codes):
            end = at
            while end < len(codes) and codes[end] in self.tables["space"]:
                end += 1
            if end - at > 1:
                out.append(32)
                at = end
            else:
                out.append(codes[at])
                at += 1
        return out

    def lowered(self, block, codes):
        """Lower case."""
        if not block["lowercase"]:
            return codes
        out = []
        for at, code in enumerate(codes):
            if code == SIGMA:
                out.append(FINAL_SIGMA if self.ends_a_word(codes, at) else SMALL_SIGMA)
            else:
                out += self.lower.get(code, [code])
        return out

    def ends_a_word(self, codes, at):
        """Whether the sigma there does."""

        def cased_next(step):
            place = at + step
            while 0 <= place < len(codes) and codes[place] in self.tables["ignorable"]:
                place += step
            return 0 <= place < len(codes) and codes[place] in self.tables["cased"]

        return cased_next(-1) and not cased_next(1)

    def without_accents(self, block, codes):
        """NFKD, without what the settings say."""
        how = block["strip_accents"]
        if how is None or (how == "unicode" and max(codes, default=0) < 0x80):
            return codes
        decomposed = [ord(char) for char in unicodedata.normalize("NFKD", "".join(map(chr, codes)))]
        if how == "ascii":
            return [code for code in decomposed if code < 0x80]
        return [code for code in decomposed if code not in self.tables["combining"]]


def pairs(flat):
    return zip(flat[::2], flat[1::2], strict=True)


def join(tokens):
    out = list(tokens[0])
    for token in tokens[1:]:
        out += [32, *token]
    return out


def pieces(codes, lo, hi):
    for n in range(lo, hi + 1):
        for at in range(len(codes) - n + 1):
            yield tuple(codes[at : at + n])
