"""Changes that keep a file's form, so that they get past the first look of its reader."""

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Change = Callable[[bytes, Random], bytes]

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**53 + 1, 2**63, 2**64,
    10**40, float("inf"), float("nan"), "", "x", "0", "1e999", "\0", "a\nb", "../../x",
    "/etc/passwd", "\ud800", "é" * 300, "x" * 70000, "<script>", "{}", "${HOME}", "~", ".", "C:\\x",
    "2024-02-30", "9999-12-31", [], [[]], {}, {"": None}, [0] * 2000, [None], [1, "x", None],
)  # fmt: skip
_TEXTS = (
    "0", "-1", "1e999", "-1e999", "nan", "inf", "9" * 40, "18446744073709551616", "4294967296",
    "2147483648", "1e-400", "0x10", "1_000", "٣", "", "--1", "1.2.3", "00",
)  # fmt: skip
_DTYPES = (b"|O", b">f8", b"<f2", b"|V9", b"<U9", b"<M8[s]", b"<c16", b"|b1", b"f")
_NUMBER = re.compile(rb"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def change_text(data: bytes, random: Random) -> bytes:
    """Numbers become extreme; lines go, come twice or change places."""
    for _ in range(random.choice((1, 1, 2, 4))):
        numbers = list(_NUMBER.finditer(data))
        if numbers and random.random() < 0.6:
            found = random.choice(numbers)
            data = data[: found.start()] + random.choice(_TEXTS).encode() + data[found.end() :]
            continue
        lines = data.split(b"\n")
        at, to = random.randrange(len(lines)), random.randrange(len(lines))
        way = random.randrange(5)
        if way == 0:
            del lines[at]
        elif way == 1:
            lines[at:at] = [lines[at]] * random.choice((1, 2, 50))
        elif way == 2:
            lines[at], lines[to] = lines[to], lines[at]
        elif way == 3:
            words = re.split(rb"([,;:= ])", lines[at])
            random.shuffle(words)
            lines[at] = b"".join(words)
        else:
            lines[at] += random.choice((b"\r", b'"', b",,", b"\0", b"\xff", b" ", b"#", b"'" * 9))
        data = b"\n".join(lines)
    return data


def change_json(data: bytes, random: Random) -> bytes:
    """Values become of another type or extreme; keys go, come or change places."""
    try:
        value = change_value(json.loads(data), random)
        return json.dumps(value, ensure_ascii=random.random() < 0.9).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        return change_text(data, random)


def change_yaml(data: bytes, random: Random) -> bytes:
    """The same of YAML; or anchors, tags and nesting are put in."""
    if random.random() < 0.3:
        lines = data.split(b"\n")
        at = random.randrange(len(lines))
        lines[at] += random.choice(
            (b" &a [*a, *a]", b" !!python/object/apply:os.system [x]", b" " + b"[" * 200,
             b" 1:30:00", b" !!binary x", b" <<: *b", b" !!int x", b"\n? [a]\n: b", b" 0o17",
             b" 2024-02-30")
        )  # fmt: skip
        return b"\n".join(lines)
    try:
        value = change_value(yaml.safe_load(data), random)
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=random.random() < 0.5)
        return text.encode(errors="surrogatepass")
    except (yaml.YAMLError, ValueError, RecursionError):
        return change_text(data, random)


def change_value(value: Any, random: Random) -> Any:
    """Change one to three places of what JSON or YAML says."""
    value = [value]
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(value))
        where, key = random.choice(places)
        way = random.randrange(6)
        if way == 0:
            del where[key]
        elif way == 1 and isinstance(where, dict):
            where[random.choice((f"{key}x", str(key).upper(), "", "__class__"))] = where.pop(key)
        elif way == 2:
            other, name = random.choice(places)
            if _has(other, name):
                where[key] = json.loads(json.dumps(other[name], default=str))
        elif way == 3 and isinstance(where[key], list) and where[key]:
            where[key] = where[key] * random.choice((0, 2, 40))
        elif way == 4 and isinstance(where[key], int | float | str):
            where[key] = random.choice((str(where[key]), [where[key]], {"value": where[key]}))
        else:
            where[key] = random.choice(_VALUES)
        if not value:
            return random.choice(_VALUES)
    return value[0]


def _has(where: Any, key: Any) -> bool:
    return key in where if isinstance(where, dict) else key < len(where)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Container and key of every value below."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, item in pairs:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def change_zip(data: bytes, random: Random) -> bytes:
    """One entry is changed, renamed, a link, there twice or packed in another way."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    chosen, content = random.choice(entries)
    way = random.randrange(7)
    if way == 0:
        prefix = random.choice(("../", "/", "a\\..\\", "C:", "\0", "./", "//", "x" * 5000))
        chosen.filename = prefix + chosen.filename
    elif way == 1:
        chosen.external_attr = random.choice((0o120777, 0o010644, 0o040755, 0o140644)) << 16
    elif way == 2:
        entries.append((chosen, content))
    elif way == 3:
        entries = [pair for pair in entries if pair[0] is not chosen]
    elif way == 4:
        chosen.compress_type = random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    elif way == 5:
        at = random.randrange(len(content) or 1)
        changed = content[:at] + random.randbytes(4) + content[at + 4 :]
        entries = [(e, changed if e is chosen else c) for e, c in entries]
    else:
        entries.append((zipfile.ZipInfo(random.choice(("x", "a/b/", "members/", "\ud7ff"))), b""))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return packed.getvalue()


def change_tiff(data: bytes, random: Random) -> bytes:
    """One entry of the first directory gets another tag, type, count or value."""
    if data[:4] != b"II*\0":
        return data[: random.randrange(len(data))]
    changed = bytearray(data)
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for _ in range(random.choice((1, 1, 2))):
        entry = directory + 2 + 12 * random.randrange(count)
        tag, kind, length, value = struct.unpack_from("<HHII", data, entry)
        extremes = (0, 1, 3, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 20, value + 1, value * 2)
        way = random.randrange(5)
        if way == 0:
            tag = random.choice((tag ^ 1, 256, 257, 277, 322, 324, 33550, 33922, 34735, 42113, 0))
        elif way == 1:
            kind = random.randrange(20)
        elif way == 2:
            length = random.choice(extremes) & 0xFFFFFFFF
        elif way == 3:
            value = random.choice(extremes) & 0xFFFFFFFF
        else:
            # Of what the entry points to, the values themselves.
            at = min(value + 2 * random.randrange(40), len(changed) - 8)
            struct.pack_into("<Q", changed, at, random.getrandbits(64))
        struct.pack_into("<HHII", changed, entry, tag, kind, length, value)
    return bytes(changed)


def change_npy(data: bytes, random: Random) -> bytes:
    """The header's text changes, and its length fits."""
    (length,) = struct.unpack_from("<H", data, 8)
    header = change_text(data[10 : 10 + length], random)
    if random.random() < 0.3:
        kind = random.choice(
            (b"|O", b">f8", b"<f2", b"|V9", b"<U9", b"<M8[s]", b"<c16", b"|b1", b"f")
        )
        header = re.sub(rb"'descr': '[^']*'", b"'descr': '" + kind + b"'", header)
    return data[:8] + struct.pack("<H", len(header) & 0xFFFF) + header + data[10 + length :]


def change_safetensors(data: bytes, random: Random) -> bytes:
    """The header's JSON changes, and its length fits."""
    (length,) = struct.unpack_from("<Q", data)
    header = change_json(data[8 : 8 + length], random)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def change_lightgbm(data: bytes, random: Random) -> bytes:
    """Numbers and lines of trees change, and the sizes of trees that stand before them fit."""
    text = change_text(data, random)
    start, end = text.find(b"Tree=0"), text.find(b"end of trees")
    if not 0 <= start < end:
        return text
    sizes = [b"%d" % len(tree) for tree in re.split(b"(?=Tree=)", text[start:end]) if tree]
    return re.sub(rb"tree_sizes=[^\n]*", b"tree_sizes=" + b" ".join(sizes), text, count=1)


FORMS: dict[str, Change] = {
    "text": change_text, "json": change_json, "yaml": change_yaml, "zip": change_zip,
    "tiff": change_tiff, "npy": change_npy, "safetensors": change_safetensors,
    "lightgbm": change_lightgbm,
}  # fmt: skip
