import FuzzDriver
import ShardIO

// Run with 'make fuzz'; see Fuzz/README.md. What it finds goes to Tests/Golden/bad with a name that says what is wrong with it.

/// Where the program begins.
@_cdecl("ShardReaderFuzzer_main")
public func fuzzMain(
  _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  runFuzzer(argumentCount, arguments) { fuzzOneInput($0, $1) }
}

/// Reads an input as the contents of a shard, which no checksum protects, and as a shard file.
///
/// It bears the name that libFuzzer's own main asks for, which is linked though never called.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let limit = 1 << 26
  _ = try? Table(shard: bytes, path: "file", limit: limit)
  guard let table = try? Table(shardContents: bytes, path: "contents", limit: limit) else {
    return 0
  }
  // Whatever is read can be written, and is read again as the same.
  let copy = try? Table(shardContents: table.shardContents(), path: "copy")
  precondition(copy == table, "a table changed when it was written and read")
  for column in table.columns {
    _ = try? table.strings(column.name)
    _ = try? table.stringLists(column.name)
  }
  return 0
}
