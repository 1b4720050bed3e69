public import ShardIO

/// What `Scripts/read_shard.py --hex` must print for a table, line by line, without the schema of the first line.
public func hexadecimalDump(of table: Table) -> [JSONValue] {
  let head: JSONValue = ["kind": .string(table.kind), "rows": JSONValue(table.rowCount)]
  return [head]
    + table.columns.map { column in
      var buffers: [[UInt8]] = []
      if column.shape != .fixed { buffers.append(bytes(column.offsets)) }
      if column.shape == .stringLists { buffers.append(bytes(column.innerOffsets)) }
      buffers.append(column.values.withBytes { Array($0) })
      let shape = column.shape == .stringLists ? "string-lists" : "\(column.shape)"
      return [
        "name": .string(column.name), "type": .string("\(column.values.type)"),
        "shape": .string(shape), "width": JSONValue(column.width),
        "buffers": .array(buffers.map { .string(hexadecimal($0)) }),
      ]
    }
}

/// The lines that `Scripts/read_shard.py --hex` printed, without the schemas of the tables.
///
/// - Throws: `PipelineError` if a line is not JSON.
public func parsedDump(_ output: String) throws -> [JSONValue] {
  try output.split(separator: "\n").map { line in
    let value = try JSONValue(parsing: Array(line.utf8), path: "read_shard.py")
    guard case .object(var members) = value, members["kind"] != nil else { return value }
    members["columns"] = nil
    return .object(members)
  }
}

private func bytes(_ offsets: [Int]) -> [UInt8] { offsets.withUnsafeBytes { Array($0) } }

private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
