import ShardIO

// Run with: H2REC_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-shard-reader
//           SWIFT_BACKTRACE=enable=no .build-fuzz/debug/fuzz-shard-reader -max_total_time=60 CORPUS Tests/Golden/bad
// What it finds goes to Tests/Golden/bad with a name that says what is wrong with it.

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argumentCount: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Hands control to libFuzzer; SwiftPM links `main` to `<Target>_main`, which this defines.
@_cdecl("ShardReaderFuzzer_main")
public func fuzzMain(
  _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  var argumentCount = argumentCount
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
  return runDriver(&argumentCount, &arguments) { fuzzOneInput($0, $1) }
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
