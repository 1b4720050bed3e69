#!/usr/bin/env python3
"""Writes Tests/Golden/good and Tests/Golden/bad after Documentation/ShardFormat.md; shares no code with the readers.

Run it only when the format changes; the files are committed. The .message files beside the bad ones are what the Swift
reader said when a person last checked them: H2REC_RECORD=1 swift test --filter Golden writes them again.
"""

import json
import os
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MAGIC = bytes([0x89, 0x48, 0x32, 0x53, 0x0D, 0x0A, 0x1A, 0x0A])
U8, U16, U32, U64, I32, I64, F32, F64 = range(1, 9)
LETTERS = {U8: "B", U16: "H", U32: "I", U64: "Q", I32: "i", I64: "q", F32: "f", F64: "d"}
FIXED, RAGGED, STRINGS, LISTS = range(4)
PLAIN, PACKED, DELTA = range(3)


def name(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<H", len(raw)) + raw


def plain(code, values):
    return PLAIN, len(values), struct.pack(f"<{len(values)}{LETTERS[code]}", *values)


def block(base, width, differences):
    """One block; the differences are written by hand as one big integer."""
    number = sum(difference << (i * width) for i, difference in enumerate(differences))
    size = (len(differences) * width + 7) // 8
    return struct.pack("<QB", base % (1 << 64), width) + number.to_bytes(size, "little")


def column(title, code, shape, width, buffers):
    head = name(title) + struct.pack("<BBI", code, shape, width)
    for encoding, count, stored in buffers:
        head += struct.pack("<BQQ", encoding, count, len(stored))
    return head, [stored for _, _, stored in buffers]


def padded(raw):
    return raw + bytes(-len(raw) % 8)


def shard(kind, rows, columns, byte_count=None, column_count=None, version=1):
    heads = b"".join(head for head, _ in columns)
    body = b"".join(padded(stored) for _, buffers in columns for stored in buffers)
    length = 32 + len(name(kind)) + len(heads)
    total = length + -length % 8 + len(body)
    header = MAGIC + struct.pack("<IIQQ", version, len(columns) if column_count is None else column_count,
                                 rows, total if byte_count is None else byte_count)
    return padded(header + name(kind) + heads) + body


def frame(contents, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "contents")
        with open(path, "wb") as file:
            file.write(contents)
        return subprocess.run(["zstd", "-q", "--stdout", *options, path], check=True, capture_output=True).stdout


def save(folder, title, data):
    with open(os.path.join(HERE, folder, title), "wb") as file:
        file.write(data)


def good(title, contents, rows):
    save("good", title + ".h2s", frame(contents))
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    save("good", title + ".jsonl", text.encode())


def bad(title, contents):
    save("bad", title + ".h2s", frame(contents))


def good_files():
    good("no-columns", shard("empty", 3, []), [{}, {}, {}])
    good("no-rows", shard("empty", 0, [
        column("number", U32, FIXED, 2, [plain(U32, [])]),
        column("text", U8, STRINGS, 0, [plain(I64, [0]), plain(U8, [])]),
        column("packed", I64, FIXED, 1, [(PACKED, 0, b"")]),
    ]), [])
    good("every-type", shard("types", 2, [
        column("uint8", U8, FIXED, 1, [plain(U8, [0, 255])]),
        column("uint16", U16, FIXED, 1, [plain(U16, [0, 65535])]),
        column("uint32", U32, FIXED, 1, [plain(U32, [0, 4294967295])]),
        column("uint64", U64, FIXED, 1, [plain(U64, [0, 9223372036854775807])]),
        column("int32", I32, FIXED, 1, [plain(I32, [-2147483648, 2147483647])]),
        column("int64", I64, FIXED, 1, [plain(I64, [-9223372036854775808, 9223372036854775807])]),
        column("float", F32, FIXED, 2, [plain(F32, [0.5, -1.25, 3.0, 1024.0])]),
        column("double", F64, FIXED, 1, [plain(F64, [0.1, -1e300])]),
    ]), [
        {"uint8": 0, "uint16": 0, "uint32": 0, "uint64": 0, "int32": -2147483648,
         "int64": -9223372036854775808, "float": [0.5, -1.25], "double": 0.1},
        {"uint8": 255, "uint16": 65535, "uint32": 4294967295, "uint64": 9223372036854775807, "int32": 2147483647,
         "int64": 9223372036854775807, "float": [3, 1024], "double": -1e300},
    ])
    text = "a漢🧴b".encode()
    good("every-shape", shard("shapes", 3, [
        column("ragged", I32, RAGGED, 0, [plain(I64, [0, 2, 2, 3]), plain(I32, [1, -2, 3])]),
        column("strings", U8, STRINGS, 0, [plain(I64, [0, 4, 4, 9]), plain(U8, text)]),
        column("lists", U8, LISTS, 0, [plain(I64, [0, 2, 2, 3]), plain(I64, [0, 1, 1, 4]), plain(U8, b"xyzw")]),
    ]), [
        {"ragged": [1, -2], "strings": "a漢", "lists": ["x", ""]},
        {"ragged": [], "strings": "", "lists": []},
        {"ragged": [3], "strings": "🧴b", "lists": ["yzw"]},
    ])
    long = [1000 + i % 7 for i in range(1024)] + [5]
    good("packed", shard("packed", 1025, [
        column("blocks", U16, FIXED, 1, [
            (PACKED, 1025, block(1000, 3, [i % 7 for i in range(1024)]) + block(5, 0, [0]))]),
    ]), [{"blocks": value} for value in long])
    good("packed-widths", shard("packed", 3, [
        column("negative", I64, FIXED, 1, [(PACKED, 3, block(-5, 4, [0, 5, 15]))]),
        column("all-bits", U64, FIXED, 1, [(PACKED, 3, block(0, 64, [0, 1, 9223372036854775807]))]),
        column("odd-bits", U64, FIXED, 1, [(PACKED, 3, block(1, 61, [0, 1 << 60, 3]))]),
        column("bytes", U32, FIXED, 1, [(PACKED, 3, block(7, 8, [0, 1, 200]))]),
    ]), [
        {"negative": -5, "all-bits": 0, "odd-bits": 1, "bytes": 7},
        {"negative": 0, "all-bits": 1, "odd-bits": 1152921504606846977, "bytes": 8},
        {"negative": 10, "all-bits": 9223372036854775807, "odd-bits": 4, "bytes": 207},
    ])
    good("delta", shard("delta", 1026, [
        column("sorted", I32, FIXED, 1, [
            (DELTA, 1026, block(-10, 4, [0] + [12] * 1023) + block(1, 1, [1, 0]))]),
    ]), [{"sorted": value} for value in
         [-10 + 2 * i for i in range(1024)] + [-10 + 2 * 1023 + 2, -10 + 2 * 1023 + 3]])


def base(**changes):
    """A good shard in whose parts one thing can be changed."""
    number = changes.get("number") or column("n", U32, FIXED, 1, [plain(U32, [1, 2])])
    text = changes.get("text") or column("t", U8, STRINGS, 0, [plain(I64, [0, 1, 3]), plain(U8, "aß".encode())])
    options = {key: changes[key] for key in ("byte_count", "column_count", "version") if key in changes}
    return shard(changes.get("kind", "items"), changes.get("rows", 2), [number, text], **options)


def bad_headers():
    bad("wrong-magic", b"\x88" + base()[1:])
    bad("format-version-2", base(version=2))
    bad("column-count-above-limit", base(column_count=257))
    bad("column-count-4294967295", base(column_count=4294967295))
    bad("row-count-overflow", base(rows=(1 << 64) - 1))
    bad("row-count-above-limit", base(rows=(1 << 32) + 1))
    bad("row-count-3", base(rows=3))
    bad("byte-count-off-by-one", base(byte_count=len(base()) - 1))
    bad("byte-count-overflow", base(byte_count=(1 << 64) - 1))
    bad("kind-empty", base(kind=""))
    bad("kind-of-65-bytes", base(kind="k" * 65))
    bad("kind-in-capitals", base(kind="Items"))
    bad("kind-not-ascii", base(kind="\u00e9"))
    bad("fewer-columns-than-bytes", base(column_count=1))
    bad("more-columns-than-bytes", base(column_count=3))
    contents = bytearray(base())
    head = 32 + len(name("items")) + len(column("n", U32, FIXED, 1, [plain(U32, [1, 2])])[0]) + len(
        column("t", U8, STRINGS, 0, [plain(I64, [0, 1, 3]), plain(U8, "aß".encode())])[0])
    contents[head] = 1
    bad("header-padding-not-zero", bytes(contents))
    contents = bytearray(base())
    contents[-1] = 1
    bad("buffer-padding-not-zero", bytes(contents))
    bad("bytes-after-the-last-buffer", base(byte_count=len(base()) + 8) + bytes(8))
    bad("shorter-than-the-header", base()[:20])
    bad("no-contents", b"")


def bad_columns():
    values = plain(U32, [1, 2])
    bad("unknown-type-0", base(number=column("n", 0, FIXED, 1, [values])))
    bad("unknown-type-9", base(number=column("n", 9, FIXED, 1, [values])))
    bad("unknown-shape", base(number=column("n", U32, 4, 1, [values])))
    bad("unknown-encoding", base(number=column("n", U32, FIXED, 1, [(3, 2, values[2])])))
    bad("fixed-of-width-0", base(number=column("n", U32, FIXED, 0, [values])))
    bad("width-above-limit", base(number=column("n", U32, FIXED, (1 << 20) + 1, [values])))
    bad("strings-with-width", base(text=column("t", U8, STRINGS, 1, [plain(I64, [0, 1, 3]), plain(U8, b"abc")])))
    bad("strings-of-uint32", base(text=column("t", U32, STRINGS, 0, [plain(I64, [0, 1, 1]), plain(U32, [1])])))
    bad("two-columns-of-one-name", base(text=column("n", U8, STRINGS, 0, [plain(I64, [0, 0, 0]), plain(U8, b"")])))
    bad("element-count-overflow", base(number=column("n", U32, FIXED, 1, [(PLAIN, (1 << 64) - 1, values[2])])))
    bad("element-count-times-size-overflow", base(number=column("n", U32, FIXED, 1, [(PLAIN, 1 << 62, values[2])])))
    bad("element-count-not-rows", base(number=column("n", U32, FIXED, 1, [plain(U32, [1, 2, 3])])))
    bad("stored-bytes-not-elements", base(number=column("n", U32, FIXED, 1, [(PLAIN, 2, values[2] + bytes(4))])))
    head, buffers = column("t", U8, STRINGS, 0, [plain(I64, [0, 1, 1 << 20]), (PLAIN, 1 << 20, b"abc")])
    head = head[:-8] + struct.pack("<Q", 1 << 20)
    bad("buffer-beyond-the-end", base(text=(head, buffers)))
    bad("offsets-too-few", base(text=column("t", U8, STRINGS, 0, [plain(I64, [0, 3]), plain(U8, b"abc")])))
    bad("offsets-not-from-0", base(text=column("t", U8, STRINGS, 0, [plain(I64, [1, 1, 3]), plain(U8, b"abc")])))
    bad("offsets-decrease", base(text=column("t", U8, STRINGS, 0, [plain(I64, [0, 4, 3]), plain(U8, b"abc")])))
    bad("offsets-negative", base(text=column("t", U8, STRINGS, 0, [plain(I64, [0, -1, 3]), plain(U8, b"abc")])))
    bad("offsets-beyond-the-values", base(
        text=column("t", U8, STRINGS, 0, [plain(I64, [0, 1, 4]), plain(U8, b"abc")])))
    bad("list-offsets-beyond-the-strings", base(text=column(
        "t", U8, LISTS, 0, [plain(I64, [0, 1, 2]), plain(I64, [0, 3]), plain(U8, b"abc")])))
    bad("string-offsets-empty", base(text=column(
        "t", U8, LISTS, 0, [plain(I64, [0, 0, 0]), plain(I64, []), plain(U8, b"")])))
    bad("string-not-utf8", base(text=column("t", U8, STRINGS, 0, [plain(I64, [0, 1, 3]), plain(U8, b"a\xffb")])))
    bad("string-cuts-a-character", base(
        text=column("t", U8, STRINGS, 0, [plain(I64, [0, 2, 3]), plain(U8, "aß".encode())])))
    bad("surrogate-in-a-string", base(
        text=column("t", U8, STRINGS, 0, [plain(I64, [0, 0, 3]), plain(U8, b"\xed\xa0\x80")])))


def bad_packing():
    def packed(encoding, count, stored, code=U32):
        return base(number=column("n", code, FIXED, 1, [(encoding, count, stored)]))

    bad("packed-uint8", packed(PACKED, 2, block(0, 1, [0, 1]), U8))
    bad("packed-float", packed(DELTA, 2, block(0, 1, [0, 1]), F32))
    bad("packed-shorter-than-its-blocks", packed(PACKED, 2, block(0, 1, [0, 1])[:8]))
    bad("packed-ends-inside-a-block", packed(PACKED, 2, block(0, 32, [0, 1])[:-1]))
    bad("packed-of-65-bits", packed(PACKED, 2, struct.pack("<QB", 0, 65) + bytes(17)))
    bad("packed-of-255-bits", packed(PACKED, 2, struct.pack("<QB", 0, 255) + bytes(64)))
    bad("packed-spare-bits", packed(PACKED, 2, struct.pack("<QBB", 0, 1, 0x83)))
    bad("packed-bytes-after-the-last-block", packed(PACKED, 2, block(0, 8, [0, 1]) + b"\x00"))
    # 1 MiB of constant blocks would be 2^26 values in a column that has 2 rows.
    bad("packed-count-not-rows", packed(PACKED, 1 << 26, block(0, 0, [0] * 1024) * 65536))
    huge = [column(f"c{i}", U64, FIXED, 1, [(PACKED, 1 << 28, b"")]) for i in range(3)]
    bad("packed-claims-gigabytes", shard("items", 1 << 28, huge))


def bad_frames():
    whole = frame(base())
    save("bad", "empty-file.h2s", b"")
    save("bad", "not-a-frame.h2s", b"user,item\n1,2\n" * 10)
    save("bad", "frame-cut.h2s", whole[:-10])
    save("bad", "frame-cut-in-the-checksum.h2s", whole[:-1])
    save("bad", "frame-checksum-wrong.h2s", whole[:-1] + bytes([whole[-1] ^ 1]))
    save("bad", "frame-followed-by-a-byte.h2s", whole + b"\x00")
    save("bad", "frame-followed-by-a-frame.h2s", whole + whole)
    save("bad", "frame-followed-by-a-skippable-frame.h2s", whole + b"\x50\x2a\x4d\x18" + bytes(4))
    save("bad", "frame-without-content-size.h2s", frame(base(), "--no-content-size"))
    # Frame header: magic, descriptor (8-byte content size, single segment), 2^60 bytes, one empty last block.
    save("bad", "frame-claims-an-exabyte.h2s",
         b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 60) + b"\x01\x00\x00")
    save("bad", "frame-claims-four-gigabytes.h2s",
         b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 32) + b"\x01\x00\x00")


if __name__ == "__main__":
    good_files()
    bad_headers()
    bad_columns()
    bad_packing()
    bad_frames()
