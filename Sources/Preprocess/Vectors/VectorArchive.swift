internal import ShardIO
internal import TextInput

/// The vectors of a .npz archive, and their ids if it has them.
struct VectorArchive {
  /// The .npy file of the vectors.
  let stream: ByteStream
  let layout: NumericLayout
  private(set) var ids: IdentifierTable?

  /// The usual names of the array of ids.
  private static let idNames = ["ids.npy", "item_ids.npy", "item_id.npy"]
  /// The largest archive that is read, bytes.
  private static let maximumByteCount = 1 << 36

  /// Finds the vectors in an archive: the array of a name, or the only one that holds no ids.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if there is no such array or it is damaged; `.configuration` if it and the
  ///   archive are larger than the budget, from which they are taken.
  init(
    _ file: ByteStream, field: String?, needsIDs: Bool, budget: inout MemoryBudget
  ) throws(PipelineError) {
    try budget.take(file.byteCount ?? 0, for: "archives", of: file.name)
    let archive = try ZipArchive(
      try file.readAll(limit: min(Self.maximumByteCount, budget.limit)), path: file.name)
    let others = archive.entries.filter { !Self.idNames.contains($0.name) }
    let wanted = field.map { name in archive.entries.filter { $0.name == "\(name).npy" } } ?? others
    guard wanted.count == 1 else {
      let names = archive.entries.prefix(20).map { quoted($0.name) }.joined(separator: ", ")
      throw PipelineError(
        .dataFormat, "found the arrays \(names), expected \(field.map { quoted($0) } ?? "one")",
        at: .init(path: file.name), note: "choose one with --vector-field")
    }
    let unpacked = archive.entries.filter { entry in
      entry == wanted[0] || needsIDs && Self.idNames.contains(entry.name)
    }
    // The sizes are those of the archive's directory, known before anything is unpacked.
    for entry in unpacked {
      let name = "\(file.name)/\(entry.name)"
      try budget.take(entry.byteCount, for: "arrays", of: name)
    }
    stream = ByteStream(try archive.contents(of: wanted[0]), name: "\(file.name)/\(wanted[0].name)")
    layout = try VectorReader.numpyLayout(stream)
    ids = nil
    guard needsIDs, let entry = archive.entries.first(where: { Self.idNames.contains($0.name) })
    else { return }
    let bytes = try archive.contents(of: entry)
    let path = "\(file.name)/\(entry.name)"
    var table = IdentifierTable()
    for (row, id) in try NumpyHeader(bytes, path: path).strings(bytes, path: path).enumerated() {
      guard table.insert(id) == row, !id.isEmpty else {
        let text = String(decoding: id, as: UTF8.self)
        throw PipelineError(
          .dataFormat, "id \(row + 1), \(quoted(text)), is empty or there twice",
          at: .init(path: path))
      }
    }
    ids = table
  }
}
