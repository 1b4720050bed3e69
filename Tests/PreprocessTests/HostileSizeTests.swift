import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Small files that unpack to a lot, or have lines without end: each is refused with its own message before it takes memory.
@Suite(.enabled(if: hasProgram("python3"), "needs python3")) struct HostileSizeTests {
  /// Address space in MiB: what a program with `--memory 64MiB` takes beside the code of its libraries.
  private static let addressSpace = 420

  /// Files by name, and the words of a Python program that writes them.
  private static let script = #"""
    import gzip, struct, zipfile
    name = NAME
    if name == 'bomb.npz':
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (262144, 1024), }"
        header += b' ' * (63 - (10 + len(header)) % 64) + b'\n'
        with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open('vectors.npy', 'w', force_zip64=True) as file:
                file.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header)
                for _ in range(64): file.write(bytes(1 << 24))
    else:
        start, block, count = {
            'line.csv.gz': (b'user_id,item_id,timestamp\nu1,i1,1\n', b'x' * (1 << 20), 500),
            'line.jsonl.gz': (b'{"user_id":"u1","item_id":"i1","timestamp":1}\n{"user_id":"', b'x' * (1 << 20), 500),
            'list.jsonl.gz': (b'{"user_id":"u1","item_id":"i1","timestamp":1,"x":[', b'1,' * (1 << 19), 500),
            'line-of-items.jsonl.gz': (b'{"item_id":"i1","title":["', b'","' * (1 << 19), 300),
            'line-of-items.csv.gz': (b'item_id,title\ni1,"', b'x,\n' * (1 << 17), 4),
            'line-of-vectors.jsonl.gz': (b'{"item_id":"i1","vector":[', b'1,' * (1 << 19), 500),
            'line-of-ids.gz': (b'i1\n', b'x' * (1 << 20), 500),
            'items.jsonl.gz': (b'', None, b'{"item_id":"i%d","title":"' + b'word ' * 200 + b'"}\n'),
            'vectors.jsonl.gz': (b'', None, b'{"item_id":"i%d","vector":[1' + b',0' * 499 + b']}\n'),
            'ids.gz': (b'', None, b'%d the-item-' + b'-with-a-long-name' * 60 + b'\n'),
        }[name]
        with open(name, 'wb') as file:
            file.write(gzip.compress(start, 1))
            if block is not None:
                # Members that follow one another are one text.
                file.write(gzip.compress(block, 1) * count)
            else:
                for first in range(0, 150000, 1000):
                    text = b''.join(count % i for i in range(first, first + 1000))
                    file.write(gzip.compress(text, 1))
    """#

  @Test(
    arguments: [
      (
        "bomb.npz", ["--vectors", "bomb.npz", "--vector-ids", "ids.txt"], 78,
        "the arrays take at least 102"
      ),
      (
        "line.csv.gz", ["--interactions", "line.csv.gz"], 65,
        "a record is longer than 67108864 bytes"
      ),
      (
        "line.jsonl.gz", ["--interactions", "line.jsonl.gz"], 65,
        "a record is longer than 67108864 bytes"
      ),
      (
        "list.jsonl.gz", ["--interactions", "list.jsonl.gz"], 65,
        "a record is longer than 67108864 bytes"
      ),
      (
        "line-of-items.jsonl.gz", ["--items", "line-of-items.jsonl.gz"], 65,
        "a record is longer than 1048576 bytes"
      ),
      ("line-of-items.csv.gz", ["--items", "line-of-items.csv.gz"], 65, ""),
      (
        "line-of-vectors.jsonl.gz", ["--vectors", "line-of-vectors.jsonl.gz"], 65,
        "a record is longer than 1048576 bytes"
      ),
      (
        "line-of-ids.gz", ["--vectors", "vectors.npy", "--vector-ids", "line-of-ids.gz"], 65,
        "a record is longer than 1048576 bytes"
      ),
      ("items.jsonl.gz", ["--items", "items.jsonl.gz"], 78, "the items take"),
      ("vectors.jsonl.gz", ["--vectors", "vectors.jsonl.gz"], 78, "the vectors take"),
      ("ids.gz", ["--vectors", "vectors.npy", "--vector-ids", "ids.gz"], 78, "the lines take"),
    ] as [(String, [String], Int32, String)])
  func `a file that asks for too much is refused while memory stays bounded`(
    name: String, options: [String], status: Int32, words: String
  ) async throws {
    try await withTemporaryDirectory { directory in
      let made = try await runProgram(
        .name("python3"), ["-c", Self.script.replacing("NAME", with: "'\(name)'")], in: directory)
      try #require(made.status == .exited(0), "\(made.error)")
      var log = "user_id,item_id,timestamp\n"
      for user in 0..<6 { for item in 0..<6 { log += "u\(user),i\(item),\(item)\n" } }
      try write(Array(log.utf8), to: directory.appending("log.csv"))
      try write(Array("i0\ni1\n".utf8), to: directory.appending("ids.txt"))
      let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }           \n"
      try write(
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
          + [0, 0, 128, 63, 0, 0, 0, 64], to: directory.appending("vectors.npy"))
      let usual = options.contains("--interactions") ? [] : ["--interactions", "log.csv"]
      let result = try await runProgram(
        .name("bash"),
        [
          "-c", "ulimit -v \(Self.addressSpace << 10); exec \"$@\"", "bash",
          productsDirectory.appending("h2rec-preprocess").string, "--output", "out", "--memory",
          "64MiB", "--threads", "2", "--quiet",
        ] + usual + options, in: directory)
      #expect(result.status == .exited(status), "\(result.error)")
      #expect(words.isEmpty || result.error.contains(words), "\(result.error)")
      #expect(result.error.contains("\(name)"), "\(result.error)")
      #expect(!FileManager.default.fileExists(atPath: directory.appending("out").string))
    }
  }
}
