public import ShardIO
internal import SystemPackage

/// Bytes of a file or of standard input in the order they lie there, decompressed if they are gzip or zstd frames.
///
/// Whether they are compressed is told from the first bytes, not from the name.
public final class ByteStream {
  /// The name used in messages: the path, or `<stdin>`.
  public let name: String
  private let descriptor: FileDescriptor
  private var pushedBack: [UInt8] = []
  private var raw: RawInput
  private var decoder: any StreamDecoder

  /// The path that stands for standard input.
  public static let standardInputPath = "-"

  /// Opens a file for reading.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `PipelineError`: `.missingInput` if it cannot be opened, `.inputOutput` if it cannot be read.
  public init(_ path: String) throws(PipelineError) {
    if path == Self.standardInputPath {
      name = "<stdin>"
      descriptor = .standardInput
    } else {
      name = path
      descriptor = try openForReading(path)
    }
    raw = RawInput(descriptor, name: name)
    decoder = IdentityDecoder()
    do throws(PipelineError) {
      decoder = try raw.detectDecoder()
    } catch {
      closeUnlessStandard()
      throw error
    }
  }

  deinit { closeUnlessStandard() }

  private func closeUnlessStandard() {
    guard descriptor != .standardInput else { return }
    try? descriptor.close()
  }

  /// Reads until the buffer is full or the input ends.
  ///
  /// - Parameters:
  ///   - buffer: receives the bytes; its size does not change.
  ///   - start: where in the buffer the first byte goes.
  /// - Returns: the number of bytes read; less than the room in the buffer only at the end of the input.
  /// - Throws: `PipelineError`: `.inputOutput` if reading fails, `.dataFormat` if a compressed frame is damaged or ends early.
  public func fill(_ buffer: inout [UInt8], from start: Int) throws(PipelineError) -> Int {
    var filled = start
    if !pushedBack.isEmpty {
      filled += min(pushedBack.count, buffer.count - start)
      buffer.replaceSubrange(start..<filled, with: pushedBack.prefix(filled - start))
      pushedBack.removeFirst(filled - start)
    }
    while filled < buffer.count {
      let count = try decoder.decode(&raw, into: &buffer, from: filled)
      if count == 0 { break }
      filled += count
    }
    return filled - start
  }

  /// The next bytes without using them up; fewer than asked for only at the end of the input.
  ///
  /// - Parameter count: how many, a few thousand at most.
  /// - Returns: the bytes.
  /// - Throws: `PipelineError` as ``fill(_:from:)``.
  public func peek(_ count: Int) throws(PipelineError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try fill(&bytes, from: 0)
    bytes.removeLast(count - found)
    pushedBack = bytes + pushedBack
    return bytes
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
