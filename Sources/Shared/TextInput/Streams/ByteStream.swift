public import ShardIO
internal import SystemPackage

/// Bytes of a file or of standard input in the order they lie there, decompressed if they are gzip or zstd frames.
///
/// Whether they are compressed is told from the first bytes, not from the name.
public final class ByteStream {
  /// The name used in messages: the path, or `<stdin>`.
  public let name: String
  /// The number of bytes of a plain file or of bytes in memory; nil for what is compressed and for a pipe.
  public let byteCount: Int?
  private let descriptor: FileDescriptor?
  private var pushedBack: [UInt8]
  /// The bytes of ``pushedBack`` that have been used.
  private var pushedBackStart = 0
  private var raw: RawInput
  private var decoder: any StreamDecoder
  /// The program that writes what is read here.
  private var writer: DuckDBProcess?

  /// The path that stands for standard input.
  public static let standardInputPath = "-"

  /// Opens a file for reading.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `PipelineError`: `.missingInput` if it cannot be opened, `.inputOutput` if it cannot be read.
  public init(_ path: String) throws(PipelineError) {
    let isStandard = path == Self.standardInputPath
    let opened = isStandard ? .standardInput : try openForReading(path)
    let name = isStandard ? "<stdin>" : path
    var raw = RawInput(opened, name: name)
    // Nothing is stored before the last throw, so that the file is closed once.
    do throws(PipelineError) {
      decoder = try raw.detectDecoder()
    } catch {
      if !isStandard { try? opened.close() }
      throw error
    }
    self.name = name
    self.raw = raw
    byteCount = decoder is IdentityDecoder && !isStandard ? sizeOfFile(opened) : nil
    descriptor = isStandard ? nil : opened
    pushedBack = []
  }

  /// Bytes in memory as a stream.
  ///
  /// - Parameters:
  ///   - bytes: what is read.
  ///   - name: the name used in messages.
  public init(_ bytes: [UInt8], name: String) {
    self.name = name
    byteCount = bytes.count
    raw = RawInput(nil, name: name)
    decoder = IdentityDecoder()
    descriptor = nil
    pushedBack = bytes
  }

  /// Opens a table: a Parquet file as text that duckdb makes of it, any other file as it is.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard input, which cannot be Parquet.
  ///   - form: the text that is wanted.
  /// - Throws: `PipelineError`: as ``init(_:)``; `.configuration` if there is no duckdb.
  public convenience init(table path: String, as form: DuckDB.Form) throws(PipelineError) {
    let isFile = path != Self.standardInputPath
    let start = isFile ? try Self.firstBytes(path, DuckDB.parquetMagic.count) : []
    let isParquet = start == DuckDB.parquetMagic
    if isParquet {
      try self.init(query: DuckDB.query(parquet: path), as: form, name: path)
    } else {
      try self.init(path)
    }
  }

  /// The rows of a query, as duckdb writes them.
  ///
  /// - Parameters:
  ///   - query: statements of SQL; the rows of the last one are read.
  ///   - form: the text that is wanted.
  ///   - name: the name used in messages.
  /// - Throws: `PipelineError`: `.configuration` if there is no duckdb. What duckdb says of the query is thrown when its rows
  ///   have been read.
  public init(query: String, as form: DuckDB.Form, name: String) throws(PipelineError) {
    let ends = try DuckDBProcess.pipe(name)
    defer { try? ends.write.close() }
    do throws(PipelineError) {
      writer = try DuckDBProcess(
        DuckDB.statements(query, form), input: nil, output: ends.write, place: name)
    } catch {
      try? ends.read.close()
      throw error
    }
    self.name = name
    raw = RawInput(ends.read, name: name)
    decoder = IdentityDecoder()
    byteCount = nil
    descriptor = ends.read
    pushedBack = []
  }

  private static func firstBytes(_ path: String, _ count: Int) throws(PipelineError) -> [UInt8] {
    let file = try openForReading(path)
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: count)
    // A pipe must not lose its first bytes.
    guard sizeOfFile(file) != nil else { return [] }
    let found = (try? unsafe bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) }) ?? 0
    return Array(bytes[..<found])
  }

  deinit { try? descriptor?.close() }

  /// Reads until the buffer is full or the input ends.
  ///
  /// - Parameters:
  ///   - buffer: receives the bytes; its size does not change.
  ///   - start: where in the buffer the first byte goes.
  /// - Returns: the number of bytes read; less than the room in the buffer only at the end of the input.
  /// - Throws: `PipelineError`: `.inputOutput` if reading fails, `.dataFormat` if a compressed frame is damaged or ends early.
  public func fill(_ buffer: inout [UInt8], from start: Int) throws(PipelineError) -> Int {
    var filled = start
    if pushedBackStart < pushedBack.count {
      let count = min(pushedBack.count - pushedBackStart, buffer.count - start)
      filled += count
      buffer.replaceSubrange(
        start..<filled, with: pushedBack[pushedBackStart..<pushedBackStart + count])
      pushedBackStart += count
    }
    while filled < buffer.count {
      let count = try decoder.decode(&raw, into: &buffer, from: filled)
      if count == 0 {
        try writer?.finish()
        break
      }
      filled += count
    }
    return filled - start
  }

  /// The next bytes without using them up; fewer than asked for only at the end of the input.
  ///
  /// - Parameter count: how many, a megabyte at most.
  /// - Returns: the bytes.
  /// - Throws: `PipelineError` as ``fill(_:from:)``.
  public func peek(_ count: Int) throws(PipelineError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try fill(&bytes, from: 0)
    bytes.removeLast(count - found)
    pushedBack = bytes + pushedBack[pushedBackStart...]
    pushedBackStart = 0
    return bytes
  }

  /// Uses up the next bytes; there must be so many.
  ///
  /// - Throws: `PipelineError` as ``fill(_:from:)``.
  public func skip(_ count: Int) throws(PipelineError) {
    var bytes = [UInt8](repeating: 0, count: count)
    _ = try fill(&bytes, from: 0)
  }

  /// Reads all that is left.
  ///
  /// - Parameter limit: the largest size accepted, bytes.
  /// - Returns: the bytes.
  /// - Throws: `PipelineError` as ``fill(_:from:)``, and `.dataFormat` if there are more bytes than `limit`.
  public func readAll(limit: Int) throws(PipelineError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(1 << 16, limit))
    var count = try fill(&bytes, from: 0)
    while count == bytes.count {
      guard count < limit else {
        throw PipelineError(
          .dataFormat, "the file is larger than \(limit) bytes", at: .init(path: name))
      }
      bytes.append(contentsOf: repeatElement(0, count: min(count, limit - count)))
      count += try fill(&bytes, from: count)
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

/// The size of an open file, which stays at its place; nil for what has no size.
private func sizeOfFile(_ file: FileDescriptor) -> Int? {
  guard let place = try? file.seek(offset: 0, from: .current),
    let end = try? file.seek(offset: 0, from: .end),
    (try? file.seek(offset: place, from: .start)) != nil
  else { return nil }
  return Int(end)
}

/// Opens an existing file, refusing folders.
private func openForReading(_ path: String) throws(PipelineError) -> FileDescriptor {
  do {
    return try FileDescriptor.open(FilePath(path), .readOnly)
  } catch let error as Errno {
    throw PipelineError(
      .missingInput, "cannot open the file: \(error.description.lowercased())",
      at: .init(path: path))
  } catch {
    throw PipelineError(.missingInput, "cannot open the file: \(error)", at: .init(path: path))
  }
}
