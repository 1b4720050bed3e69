internal import ShardIO
internal import TextOutput

/// The codes for other programs: `codes.csv` with the original item ids.
///
/// RFC 4180 with line feeds; the header is `item_id,code_1,code_2,…`.
struct CodeFile {
  let itemIDs: [String]
  let codes: [UInt16]
  let levelCount: Int
  /// Whether no field may be a formula.
  var isGuarded = false

  /// Writes the file as part of a stage's output.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  func write(_ name: String, to stage: inout StageOutput) throws(PipelineError) {
    var file = try stage.beginFile(name)
    let header = ["item_id"] + (1...levelCount).map { "code_\($0)" }
    try file.append(Array((header.joined(separator: ",") + "\n").utf8))
    for (item, id) in itemIDs.enumerated() {
      let tuple = codes[item * levelCount..<(item + 1) * levelCount]
      let codes = Array(tuple.map { ",\($0)" }.joined().utf8)
      try file.append(TextField.csv(id, isGuarded: isGuarded) + codes + [0x0A])
    }
    try stage.endFile(file)
  }
}
