"""Writes tests/golden/tokens/lines.jsonl: texts of every kind with the digest of the tokens that open_clip
gives them, and for every twentieth the tokens themselves. With `merges` it writes core/src/tokenizer/merges.bin.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/tokens.py                          # the golden lines
    venv/bin/python tests/reference/tokens.py merges                   # the vocabulary
    venv/bin/python tests/reference/tokens.py 7 100000 more.jsonl # more lines, of another seed
    NEURONOTES_TOKENS=more.jsonl cargo test --release --test program tokens
"""

import gzip
import html.entities
import json
import random
import struct
import sys
import tarfile
import unicodedata
from pathlib import Path

from ftfy.chardata import CHARMAP_ENCODINGS
from open_clip import tokenizer

ROOT = Path(__file__).parents[2]


def merges():
    """The 48,894 merges that are used, each as the numbers of its two parts."""
    lines = gzip.open(tokenizer.default_bpe()).read().decode().split("\n")[1:48895]
    letters = list(tokenizer.bytes_to_unicode().values())
    numbers = {token: at for at, token in enumerate(letters + [x + "</w>" for x in letters])}
    with open(ROOT / "core/src/tokenizer/merges.bin", "wb") as out:
        for at, line in enumerate(lines):
            left, right = line.split()
            out.write(struct.pack("<HH", numbers[left], numbers[right]))
            numbers[left + right] = 512 + at


def captions():
    texts = []
    with tarfile.open(ROOT / "data/emoji.tar") as tar:
        for member in tar:
            if member.name.endswith("noto.json"):
                entry = json.load(tar.extractfile(member))
                texts.append(f"{entry['caption']} {entry['emoji']} {' '.join(entry['tags'])}")
    return texts


WORDS = (ROOT / "data/words.txt").read_text().split()
CAPTIONS = captions()
ENTITIES = list(html.entities.html5)
FOREIGN = """Съешь ещё этих мягких французских булок, да выпей чаю ΟΔΥΣΣΕΥΣ Ὀδυσσεὺς ΦΙΛΟΣ. ΣΑΣ'Σ Σ
السلام عليكم العربية ١٢٣ שָׁלוֹם עולם สวัสดีชาวโลก นี่คือแมว नमस्ते दुनिया क्षत्रिय १२३ 你好世界 一只猫在睡觉
日本語の文章です ｶﾞﾊﾟﾍﾞ ﾃｽﾄ ｱｲｳ 안녕하세요 세계 안녕 ㅎㅎ İSTANBUL ILIK ığdır straße STRASSE ẞ ﬁn ﬄ
crème brûlée naïve coöperate Übergröße Łódź żółć çatı Đường phố ňáďě ÅÄÖ àéîõü œuvre Œuvre Æsir ðorn""".split()
MISREAD = FOREIGN + """it’s “quoted” – dash — em… €5 £3 ½ ×² 10° café naïve à la mode às àquela déjà vu
ÀÉÎÕÜ ñandú 🙂 😀 👩‍🚀 🇫🇷 中文 字 한국 ✔ ™ ® ©2020 ¡hola! ¿qué? « guillemets » ‘single’ \u00a0 x\u00a0y""".split(" ")
ODD = """\u00a0 \u1680 \u2000 \u2003 \u200a \u202f \u205f \u3000 \u2028 \u2029 \u0085 \u180e \u200b \u200c \u200d
\u2060 \ufeff \ufffd \ufffe \ufff9 \ufffc \u206a \u206f \u202e \u200f \u00ad \u0000 \u0001 \u0007 \u0008 \u001a
\u001c \u001f \u007f \u0080 \u0081 \u0085 \u0091 \u0092 \u009d \u009f \u034f \u0345 \u1d173 \ue000 \uf8ff""".split()
ODD += ["\t", "\n", "\r", "\r\n", "\v", "\f", " ", "  ", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028"]
ESCAPES = ["\x1b[0m", "\x1b[36;44m", "\x1b[1", "\x1b[;;K", "\x1b]", "\x1b[١m", "\x1b", "\x1b[\x1b[0m"]
WIDE = [chr(c) for c in range(0xFF00, 0xFFF0)] + ["\u3000"]
LIGATURES = list("ĲĳŉǱǲǳǄǅǆǇǈǉǊǋǌﬀﬁﬂﬃﬄﬅﬆſ")
QUOTES = list("'\"`´ʼ‘’‚‛“”„‟′″‹›«»")
MARKS = [chr(c) for c in range(0x300, 0x370)] + list("\u0591\u05b0\u064b\u0670\u093c\u0e31\u302a\u3099\u20dd\ufe0f")
JOINED = ["👩‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇺🇳", "👍🏽", "🧑🏿‍🦱", "❤️", "1️⃣", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "☎︎", "🇦"]
JAMO = [chr(c) for c in list(range(0x1100, 0x1113)) + list(range(0x1161, 0x1176)) + list(range(0x11A8, 0x11C3))]
ENDINGS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "’s", "'ſ", "'LL", "'x", "''s", "n't"]
SPECIAL = ["<start_of_text>", "<end_of_text>", "<START_OF_TEXT>", "<ſtart_of_text>", "<end_of_text", "<|endoftext|>"]
SPECIAL += ["&lt;start_of_text&gt;", "<br>", "<b>", "</b>", "a<b", "<", ">"]
# The characters as which UTF-8's bytes are shown, and letters that give them a context.
BYTES = [c for e in CHARMAP_ENCODINGS for c in bytes(range(0x80, 0x100)).decode(e)]
CONTEXT = list(" aAzZs.,?!_0°Ãà\n") + ["quele", "s ", "la", "  "]


def word(r):
    text = r.choice(WORDS)
    kind = r.random()
    return text.upper() if kind < 0.1 else text.capitalize() if kind < 0.2 else text


def number(r):
    return r.choice([str(r.randrange(10 ** r.randrange(1, 12))), f"{r.uniform(0, 1000):.3f}", "½", "²", "Ⅷ", "٣", "1,000"])


def punctuation(r):
    return "".join(r.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~…–—•°§¶") for _ in range(r.randrange(1, 9)))


def entity(r):
    kind = r.randrange(7)
    name = r.choice(ENTITIES)
    if kind == 0:
        name = r.choice([name.upper(), name.lower(), name.rstrip(";") + r.choice(WORDS), name[: r.randrange(1, 9)]])
    if kind == 1:
        name = f"#{r.choice([r.randrange(0x180), r.randrange(0x120000), 59, 38, 60, 10**12])}{r.choice(';;; x')}"
    if kind == 2:
        name = f"#{r.choice('xX')}{r.choice([r.randrange(0x180), r.randrange(0x120000), 0xD83D, 0xFFFE]):x}{r.choice(';;; g')}"
    if kind == 3:
        name = r.choice(["amp;", "lt;", "gt;", "quot;", "nbsp;", "#39;", "hellip;", "eacute;", "EACUTE;", "copy", "notit;"])
    text = "&" + name
    for _ in range(r.choice([0, 0, 0, 1, 1, 2, 3])):
        text = text.replace("&", r.choice(["&amp;", "&#38;", "&amp", "&AMP;"]))
    return text


def misread(r, words=MISREAD):
    text = " ".join(r.choice(words) for _ in range(r.randrange(1, 6)))
    for _ in range(r.choice([1, 1, 1, 1, 2, 2, 3])):
        encoding = r.choice(CHARMAP_ENCODINGS + ["sloppy-windows-1252"] * 5)
        data = text.encode("utf-8", "surrogatepass")
        if r.random() < 0.1:
            data = text.encode("utf-16", "surrogatepass")[2:]
            units = struct.unpack(f"<{len(data) // 2}H", data)
            data = "".join(map(chr, units)).encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
        text = data.decode(encoding, "replace")
        damage = r.random()
        if damage < 0.15:
            text = text.replace("\xa0", " ")
        elif damage < 0.25:
            text = "".join("�" if "\x80" <= c <= "\x9f" else c for c in text)
        elif damage < 0.32:
            at = r.randrange(len(text) + 1)
            text = text[:at] + r.choice(["�", "?", "\x1a", " ", "\n", ""]) + text[at + 1 :]
        elif damage < 0.37:
            text = text.lower() if r.random() < 0.5 else text.upper()
    return text


def garble(r):
    """Characters that occur in misread text, at random."""
    pool = BYTES if r.random() < 0.5 else list(bytes(range(0x80, 0x100)).decode(r.choice(CHARMAP_ENCODINGS)))
    return "".join(r.choice(CONTEXT) if r.random() < 0.25 else r.choice(pool) for _ in range(r.randrange(1, 9)))


def assigned(r, end):
    """A character that Unicode 14 knows, so that every library agrees on it."""
    while True:
        c = chr(r.randrange(end))
        if unicodedata.category(c) not in ("Cs", "Cn"):
            return c


def unicode(r):
    end = r.choice([0x180, 0x250, 0x600, 0x2100, 0x3000, 0x10000, 0x20000, 0x110000])
    return "".join(assigned(r, end) for _ in range(r.randrange(1, 9)))


def marked(r):
    letters = [r.choice("aeiounszAEOU한ガअאب") + "".join(r.choice(MARKS) for _ in range(r.randrange(4))) for _ in range(4)]
    return unicodedata.normalize(r.choice(["NFC", "NFD", "NFKD"]), "".join(letters + [r.choice(FOREIGN)]))


def several(pool, most):
    return lambda r: "".join(r.choice(pool) for _ in range(r.randrange(1, most)))


KINDS = [
    (14, word),
    (2, number),
    (2, punctuation),
    (2, lambda r: word(r) + r.choice(ENDINGS)),
    (3, lambda r: r.choice(CAPTIONS)),
    (2, several(JOINED, 4)),
    (4, entity),
    (3, misread),
    (3, garble),
    (3, lambda r: r.choice(FOREIGN)),
    (1, several(QUOTES, 4)),
    (1, several(LIGATURES, 3)),
    (1, several(WIDE, 6)),
    (1, marked),
    (1, several(JAMO, 7)),
    (1, several(ODD, 3)),
    (0.5, several(ESCAPES, 3)),
    (0.6, several(SPECIAL, 2)),
    (2, unicode),
]


def line(r):
    kind = r.random()
    if kind < 0.25:
        return " ".join(word(r) for _ in range(r.randrange(1, 12)))
    if kind < 0.32:
        return misread(r)
    if kind < 0.37:
        return "".join(garble(r) for _ in range(r.randrange(1, 3)))
    if kind < 0.40:
        return misread(r, [r.choice(MISREAD)])
    weights = [weight for weight, _ in KINDS]
    parts = [make(r) for _, make in r.choices(KINDS, weights, k=r.randrange(1, 9))]
    return r.choice(["", " ", " ", " ", "\n"]).join(parts)


def fixed(r):
    """Texts that chance would not make."""
    texts = ["", " ", "\n", "\u3000\u00a0", "hello world", "<start_of_text>", "<end_of_text>", "a<start_of_text>b<end_of_text>"]
    texts += CAPTIONS
    texts += JOINED + SPECIAL + LIGATURES + QUOTES + ESCAPES
    texts += ["a" * 3000, "ab" * 1500, "!" * 3000, "é" * 1500, "1" * 500, "é " * 1000, " ".join(WORDS[:600])]
    texts += ["&amp;lt;b> &amp;\n<b> &amp;amp;\n&amp;amp;amp; &copy", "&" + "amp;" * 40, "&#" + "1" * 4000 + ";"]
    texts += ["Ã\xa0 la mode", "voilÃ le travail", "âx À\n", "Ã­Â¡\n", "doesnÃ¢â‚¬â„¢t", "â€œ like this â€�"]
    return texts


def digest(tokens):
    """FNV-1a with 64 bits, over the tokens as 16-bit numbers."""
    value = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(tokens)}H", *tokens):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def write(seed, count, path):
    r = random.Random(seed)
    clip = tokenizer.SimpleTokenizer()
    texts = fixed(r)
    while len(texts) < count:
        texts.append(line(r))
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for at, text in enumerate(texts[:count]):
            tokens = clip.encode(text)
            entry = [text, digest(tokens)]
            if at % 20 == 4 and len(tokens) < 100:
                entry.append(tokens)
            # A surrogate cannot be in a text of Rust, and is in none here.
            entry = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            out.write("".join(c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}" for c in entry) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["merges"]:
        merges()
    elif sys.argv[1:]:
        write(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    else:
        write(0, 10_000, ROOT / "tests/golden/tokens/lines.jsonl")
