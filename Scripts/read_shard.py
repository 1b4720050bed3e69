#!/usr/bin/env python3
"""Reads the shards and outputs of h2rec, after Documentation/ShardFormat.md and nothing else.

    read_shard.py FILE.h2s                 the schema, as JSON
    read_shard.py FILE.h2s --rows [N]      also the rows (the first N), one JSON object a line
    read_shard.py --check FILE.h2s ...     for each file a line: it can be read, or why not
    read_shard.py DIRECTORY                the manifest, and the schema of every table, checked
    read_shard.py DIRECTORY KIND --rows    the rows of a table, all shards together
    read_shard.py ... --hex                also the decoded bytes of every buffer, in hexadecimal
    read_shard.py ... KIND --npy COLUMN F  a fixed column as a .npy file (needs NumPy)

Needs the Python standard library and the zstd program; with NumPy it is fast. Exit status: 0 read, 65 refused (the message
names the byte of the decompressed shard), 66 missing.

One file on purpose: copied to where the shards are, it needs nothing else.

As a module: read_file(path) -> Table; read_table(directory, kind) -> Table; Table.columns[name].rows() -> list of Python values.
"""

import argparse
import itertools
import json
import math
import os
import struct
import subprocess
import sys

try:
    import numpy
except ImportError:
    numpy = None

MAGIC = bytes.fromhex("894832530D0A1A0A")
LIMIT = 1 << 32
BLOCK = 1024
NAME_BYTES = set(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
# Code: name, struct letter, bytes.
TYPES = {
    1: ("uint8", "B", 1), 2: ("uint16", "H", 2), 3: ("uint32", "I", 4), 4: ("uint64", "Q", 8),
    5: ("int32", "i", 4), 6: ("int64", "q", 8), 7: ("float", "f", 4), 8: ("double", "d", 8),
}
NUMPY_TYPES = {"B": "<u1", "H": "<u2", "I": "<u4", "Q": "<u8", "i": "<i4", "q": "<i8", "f": "<f4", "d": "<f8"}
SHAPES = {0: "fixed", 1: "ragged", 2: "strings", 3: "string-lists"}
ENCODINGS = {0: "plain", 1: "packed", 2: "delta"}


class Refused(Exception):
    """A rule of the format is broken at a byte of the decompressed shard."""

    def __init__(self, message, offset):
        super().__init__(f"byte {offset}, decompressed: {message}")
        self.offset = offset


class Column:
    """One column: buffers is [values], [offsets, values] or [list offsets, string offsets, values]."""

    def __init__(self, name, type_name, shape, width, encodings, buffers):
        self.name, self.type, self.shape, self.width = name, type_name, shape, width
        self.encodings, self.buffers = encodings, buffers

    def schema(self):
        return {"name": self.name, "type": self.type, "shape": self.shape, "width": self.width,
                "encodings": self.encodings, "elements": len(self.buffers[-1])}

    def hexadecimal(self):
        """The decoded bytes of every buffer."""
        return {"name": self.name, "type": self.type, "shape": self.shape, "width": self.width,
                "buffers": [buffer.tobytes().hex() for buffer in self.buffers]}

    def rows(self):
        """The rows as Python values: numbers (width 1), lists, strings, or lists of strings."""
        values = self.buffers[-1]
        if self.shape == "fixed":
            numbers, width = values.tolist(), self.width
            return numbers if width == 1 else [numbers[i:i + width] for i in range(0, len(numbers), width)]
        if self.shape == "ragged":
            return cut(values.tolist(), self.buffers[0])
        text = [bytes(part).decode("utf-8") for part in cut(bytes(values), self.buffers[-2])]
        return text if self.shape == "strings" else cut(text, self.buffers[0])


class Table:
    def __init__(self, kind, row_count, columns):
        self.kind, self.row_count = kind, row_count
        self.columns = {column.name: column for column in columns}

    def schema(self):
        return {"kind": self.kind, "rows": self.row_count,
                "columns": [column.schema() for column in self.columns.values()]}

    def rows(self, limit=None):
        names = list(self.columns)
        columns = [self.columns[name].rows()[:limit] for name in names]
        count = self.row_count if limit is None else min(limit, self.row_count)
        return [{name: column[i] for name, column in zip(names, columns)} for i in range(count)]


def cut(values, offsets):
    return [values[offsets[i]:offsets[i + 1]] for i in range(len(offsets) - 1)]


class Cursor:
    """Reads forward and refuses to read beyond the end."""

    def __init__(self, data):
        self.data, self.offset = data, 0

    def bytes(self, count, what):
        if count > len(self.data) - self.offset:
            raise Refused(f"the shard ends before the {what}", self.offset)
        self.offset += count
        return self.data[self.offset - count:self.offset]

    def integer(self, size, what, limit=None):
        value = int.from_bytes(self.bytes(size, what), "little")
        if limit is not None and value > limit:
            raise Refused(f"{what} is {value}, the limit is {limit}", self.offset - size)
        return value

    def name(self, what):
        length = self.integer(2, f"length of the {what}", 64)
        raw = self.bytes(length, what)
        if length == 0 or not set(raw) <= NAME_BYTES:
            raise Refused(f"the {what} is not 1 to 64 of a-z 0-9 - _", self.offset - length)
        return raw.decode("ascii")

    def align(self):
        padding = self.bytes(-self.offset % 8, "padding")
        if any(padding):
            raise Refused("the padding is not zero", self.offset - len(padding))


def read_file(path):
    """Decompresses and reads one shard file."""
    with open(path, "rb") as file:
        frame = file.read()
    declared = content_size(frame)
    result = subprocess.run(["zstd", "-d", "--stdout", "--memory=2048MB", "--", path], capture_output=True)
    if result.returncode != 0:
        raise Refused("zstd: " + result.stderr.decode(errors="replace").strip(), len(result.stdout))
    if len(result.stdout) != declared or frame_end(frame) != len(frame):
        raise Refused("the file is not one zstd frame with its content size", declared)
    return read_contents(result.stdout)


def content_size(frame):
    """The size in the header of a zstd frame (RFC 8878, 3.1.1.1), checked against the limits."""
    size, _ = frame_header(frame)
    limit = min(LIMIT, (len(frame) // 4 + 1) * 131072)
    if size is None:
        raise Refused("this is not a zstd frame with a content size", 0)
    if size > limit:
        raise Refused(f"the frame declares {size} bytes, more than {limit}", 0)
    return size


def frame_header(frame):
    """The content size, or None, and the position of the first block."""
    if frame[:4] != b"\x28\xb5\x2f\xfd" or len(frame) < 6:
        return None, 0
    descriptor = frame[4]
    single = descriptor >> 5 & 1
    position = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    length = (single, 2, 4, 8)[descriptor >> 6]
    field = int.from_bytes(frame[position:position + length], "little")
    return (field + (256 if length == 2 else 0) if length else None), position + length


def frame_end(frame):
    """Where the first frame ends, found by stepping over its blocks."""
    _, position = frame_header(frame)
    is_last = False
    while not is_last:
        header = int.from_bytes(frame[position:position + 3], "little")
        is_last = header & 1
        position += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
    return position + (4 if frame[4] >> 2 & 1 else 0)


def read_contents(data):
    """Reads the decompressed contents of a shard."""
    cursor = Cursor(data)
    if cursor.bytes(8, "magic") != MAGIC:
        raise Refused("the magic is not that of a shard", 0)
    version = cursor.integer(4, "format version")
    if version != 1:
        raise Refused(f"format version {version}, this program reads 1", 8)
    column_count = cursor.integer(4, "column count", 256)
    row_count = cursor.integer(8, "row count", LIMIT)
    declared = cursor.integer(8, "byte count")
    if declared != len(data):
        raise Refused(f"byte count is {declared}, the shard has {len(data)}", 24)
    kind = cursor.name("name of the table")
    descriptors = []
    total = 0
    for _ in range(column_count):
        descriptor = read_descriptor(cursor, row_count)
        if any(other["name"] == descriptor["name"] for other in descriptors):
            raise Refused(f"column '{descriptor['name']}' occurs twice", cursor.offset)
        total += sum(TYPES[code][2] * count for code, _, count, _ in descriptor["buffers"])
        if total > LIMIT:
            raise Refused("the columns hold more than the limit", cursor.offset)
        descriptors.append(descriptor)
    cursor.align()
    columns = [read_column(cursor, descriptor) for descriptor in descriptors]
    if cursor.offset != len(data):
        raise Refused("bytes follow the last column", cursor.offset)
    return Table(kind, row_count, columns)


def read_descriptor(cursor, row_count):
    name = cursor.name("name of a column")
    code = cursor.integer(1, "element type")
    if code not in TYPES:
        raise Refused(f"element type {code} is unknown", cursor.offset - 1)
    shape = cursor.integer(1, "column shape")
    if shape not in SHAPES:
        raise Refused(f"column shape {shape} is unknown", cursor.offset - 1)
    if shape > 1 and code != 1:
        raise Refused("strings have elements of another type than uint8", cursor.offset - 2)
    width = cursor.integer(4, "width", 1 << 20)
    if (width > 0) != (shape == 0):
        raise Refused(f"a column of shape {SHAPES[shape]} has width {width}", cursor.offset - 4)
    # Buffers are (type code, encoding, elements, stored bytes).
    buffers = []
    offsets_count = {0: 0, 1: 1, 2: 1, 3: 2}[shape]
    for index in range(offsets_count + 1):
        buffer = read_buffer_descriptor(cursor, 6 if index < offsets_count else code)
        expected = row_count * width if shape == 0 else row_count + 1 if index == 0 else None
        if expected is not None and buffer[2] != expected:
            raise Refused(f"{buffer[2]} elements, expected {expected}", cursor.offset - 16)
        buffers.append(buffer)
    return {"name": name, "type": code, "shape": shape, "width": width, "buffers": buffers}


def read_buffer_descriptor(cursor, code):
    size = TYPES[code][2]
    encoding = cursor.integer(1, "encoding")
    if encoding not in ENCODINGS or (encoding != 0 and code in (1, 7, 8)):
        raise Refused(f"encoding {encoding} is unknown or not for this type", cursor.offset - 1)
    count = cursor.integer(8, "element count", LIMIT // size)
    stored = cursor.integer(8, "byte count of a buffer", LIMIT)
    if encoding == 0 and stored != count * size:
        raise Refused(f"{count} elements take {count * size} bytes, not {stored}", cursor.offset - 8)
    if encoding != 0 and stored < (count + BLOCK - 1) // BLOCK * 9:
        raise Refused(f"{count} packed elements do not fit {stored} bytes", cursor.offset - 8)
    return code, encoding, count, stored


def read_column(cursor, descriptor):
    buffers = []
    for index, (code, encoding, count, stored) in enumerate(descriptor["buffers"]):
        start = cursor.offset
        raw = cursor.bytes(stored, "end of a buffer")
        values = plain(raw, code) if encoding == 0 else unpacked(raw, code, count, encoding == 2, start)
        cursor.align()
        buffers.append(values)
        if index < len(descriptor["buffers"]) - 1:
            last = index == len(descriptor["buffers"]) - 2
            end = descriptor["buffers"][index + 1][2] - (0 if last else 1)
            if not rises(values, end):
                raise Refused(f"the offsets of column '{descriptor['name']}' do not rise from 0 to {end}", start)
    shape = SHAPES[descriptor["shape"]]
    column = Column(descriptor["name"], TYPES[descriptor["type"]][0], shape, descriptor["width"],
                    [ENCODINGS[buffer[1]] for buffer in descriptor["buffers"]], buffers)
    if shape.startswith("string"):
        check_text(column, start)
    return column


def check_text(column, start):
    data = bytes(column.buffers[-1])
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"column '{column.name}' is not UTF-8", start + error.start) from None
    for offset in column.buffers[-2]:
        if offset < len(data) and data[offset] & 0xC0 == 0x80:
            raise Refused(f"column '{column.name}' is not UTF-8", start + int(offset))


def rises(offsets, end):
    if numpy is not None:
        return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == end and bool((offsets[1:] >= offsets[:-1]).all())
    return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == end and all(
        a <= b for a, b in zip(offsets, offsets[1:]))


def plain(raw, code):
    letter = TYPES[code][1]
    return numpy.frombuffer(raw, NUMPY_TYPES[letter]) if numpy is not None else memoryview(raw).cast(letter)


def unpacked(raw, code, count, is_delta, start):
    """Decodes packed or delta blocks; `start` is the offset of the buffer, for messages."""
    blocks = []
    done = 0
    offset = 0
    while done < count:
        size = min(BLOCK, count - done)
        if len(raw) - offset < 9:
            raise Refused("a packed buffer ends inside a block", start + offset)
        base = int.from_bytes(raw[offset:offset + 8], "little")
        width = raw[offset + 8]
        if width > 64:
            raise Refused(f"a packed value has {width} bits, the limit is 64", start + offset + 8)
        offset += 9
        length = (size * width + 7) // 8
        if len(raw) - offset < length:
            raise Refused("a packed buffer ends inside a block", start + offset)
        block = differences(raw[offset:offset + length], size, width)
        if block is None:
            raise Refused("the padding of a packed block is not zero", start + offset + length - 1)
        blocks.append(block + numpy.uint64(base) if numpy is not None else [base + value for value in block])
        offset += length
        done += size
    if offset != len(raw):
        raise Refused("bytes follow the last block of a packed buffer", start + offset)
    if numpy is not None:
        values = numpy.concatenate(blocks) if blocks else numpy.zeros(0, dtype=numpy.uint64)
        return (numpy.cumsum(values, dtype=numpy.uint64) if is_delta else values).astype(NUMPY_TYPES[TYPES[code][1]])
    values = [value for block in blocks for value in block]
    return truncated(list(itertools.accumulate(values)) if is_delta else values, code)


def differences(raw, count, width):
    """`count` integers of `width` bits, or None if spare bits are set."""
    if numpy is not None:
        bits = numpy.unpackbits(numpy.frombuffer(raw, dtype=numpy.uint8), bitorder="little")
        if bits[count * width:].any():
            return None
        powers = numpy.uint64(1) << numpy.arange(width, dtype=numpy.uint64)
        bits = bits[:count * width].reshape(count, width).astype(numpy.uint64)
        return (bits * powers).sum(axis=1, dtype=numpy.uint64)
    number = int.from_bytes(raw, "little")
    if number >> (count * width):
        return None
    mask = (1 << width) - 1
    return [number >> (i * width) & mask for i in range(count)]


def truncated(values, code):
    """The low bits of integers as elements of a type."""
    _, letter, size = TYPES[code]
    bits = 8 * size
    values = [value & ((1 << bits) - 1) for value in values]
    if letter in "iq":
        values = [value - (1 << bits) if value >> (bits - 1) else value for value in values]
    return memoryview(struct.pack(f"<{len(values)}{letter}", *values)).cast(letter)


def read_manifest(directory):
    with open(os.path.join(directory, "manifest.json"), "rb") as file:
        return json.load(file)


def read_table(directory, kind):
    """All shards of a kind in a stage's output directory, as one table."""
    listed = [output for output in read_manifest(directory)["outputs"] if output["kind"] == kind and "rows" in output]
    if not listed:
        raise FileNotFoundError(f"{directory}: no table '{kind}'")
    tables = []
    for output in listed:
        path = os.path.join(directory, output["name"])
        if os.path.getsize(path) != output["bytes"]:
            raise Refused(f"{path}: the size is not that of the manifest", 0)
        tables.append(read_file(path))
        if tables[-1].row_count != output["rows"] or tables[-1].kind != kind:
            raise Refused(f"{path}: kind or rows are not those of the manifest", 16)
    return joined(tables)


def joined(tables):
    if len(tables) == 1:
        return tables[0]
    columns = []
    for name, first in tables[0].columns.items():
        parts = [table.columns[name] for table in tables]
        if any((p.type, p.shape, p.width) != (first.type, first.shape, first.width) for p in parts):
            raise Refused(f"the shards differ in column '{name}'", 0)
        buffers = []
        for index in range(len(first.buffers)):
            pieces = [part.buffers[index] for part in parts]
            buffers.append(joined_values(pieces) if index == len(first.buffers) - 1 else joined_offsets(pieces))
        columns.append(Column(name, first.type, first.shape, first.width, first.encodings, buffers))
    return Table(tables[0].kind, sum(table.row_count for table in tables), columns)


def joined_values(pieces):
    if numpy is not None:
        return numpy.concatenate(pieces)
    return memoryview(b"".join(piece.tobytes() for piece in pieces)).cast(pieces[0].format)


def joined_offsets(pieces):
    result = [0]
    for piece in pieces:
        base = result[-1]
        result.extend(base + offset for offset in piece.tolist()[1:])
    return truncated(result, 6) if numpy is None else numpy.array(result, dtype="<i8")


def to_json(value):
    """JSON without NaN: numbers that are not finite become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [to_json(element) for element in value]
    if isinstance(value, dict):
        return {key: to_json(element) for key, element in value.items()}
    return value


def check(paths):
    """Prints a line for each file; 65 if one cannot be read."""
    status = 0
    for path in paths:
        try:
            table = read_file(path)
            print(f"{path}: {table.row_count} rows of {table.kind}")
        except Refused as error:
            print(f"{path}: {error}")
            status = 65
    return status


def main():
    parser = argparse.ArgumentParser(description="Reads the shards and outputs of h2rec.")
    parser.add_argument("path", nargs="?", help="a .h2s file, or the output directory of a stage")
    parser.add_argument("kind", nargs="?", help="a table of the directory")
    parser.add_argument("--rows", nargs="?", type=int, const=-1, help="print the rows, or the first so many")
    parser.add_argument("--hex", action="store_true", help="print the decoded bytes of every buffer")
    parser.add_argument("--check", nargs="+", metavar="FILE", help="say of each file whether it can be read")
    parser.add_argument("--npy", nargs=2, metavar=("COLUMN", "FILE"), help="write a fixed column as .npy (needs NumPy)")
    options = parser.parse_args()
    if options.check:
        if options.path or options.hex or options.npy or options.rows is not None:
            parser.error("--check goes with nothing but files")
        return check(options.check)
    if not options.path:
        parser.error("a file or a directory is needed")
    if options.kind and os.path.isfile(options.path):
        parser.error("a table is named for a directory only")
    if options.npy and numpy is None:
        parser.error("--npy needs NumPy")
    if options.npy and not options.kind and os.path.isdir(options.path):
        parser.error("--npy needs the table of the directory")
    try:
        if not os.path.isdir(options.path):
            tables = [read_file(options.path)]
        elif options.kind:
            tables = [read_table(options.path, options.kind)]
        else:
            manifest = read_manifest(options.path)
            kinds = list(dict.fromkeys(output["kind"] for output in manifest["outputs"] if "rows" in output))
            print(json.dumps({key: manifest[key] for key in ("stage", "inputs", "counters")}))
            tables = [read_table(options.path, kind) for kind in kinds]
        for table in tables:
            print(json.dumps(table.schema()))
            if options.rows is not None:
                for row in table.rows(None if options.rows < 0 else options.rows):
                    print(json.dumps(to_json(row), ensure_ascii=False))
            if options.hex:
                for column in table.columns.values():
                    print(json.dumps(column.hexadecimal()))
            if options.npy:
                column = table.columns.get(options.npy[0])
                if column is None or column.shape != "fixed":
                    fixed = [name for name, other in table.columns.items() if other.shape == "fixed"]
                    parser.error(f"no fixed column '{options.npy[0]}' in {table.kind}, there are: {', '.join(fixed) or 'none'}")
                numpy.save(options.npy[1], numpy.asarray(column.buffers[0]).reshape(-1, column.width))
    except FileNotFoundError as error:
        print(f"read_shard.py: {error}", file=sys.stderr)
        return 66
    except Refused as error:
        print(f"read_shard.py: {options.path}: {error}", file=sys.stderr)
        return 65
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
