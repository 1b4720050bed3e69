internal import CZlib
internal import CZstd
public import ShardIO

/// How the bytes of a text output are compressed.
///
/// Pieces are compressed one by one; one after another they are a file that `gzip -d` and `zstd -d` read as a whole.
public enum OutputCompression: String, Sendable, CaseIterable {
  /// As they are.
  case none
  /// A gzip member a piece (RFC 1952).
  case gzip
  /// A zstd frame with a checksum a piece (RFC 8878).
  case zstd

  /// What is appended to the name of a file.
  public var fileExtension: String {
    switch self {
    case .none: ""
    case .gzip: ".gz"
    case .zstd: ".zst"
    }
  }

  /// Compresses one piece; equal pieces give equal bytes.
  ///
  /// - Parameter bytes: the piece.
  /// - Returns: the bytes for the file.
  /// - Throws: `PipelineError` `.internalError` with the library's own words.
  public func encoded(_ bytes: [UInt8]) throws(PipelineError) -> [UInt8] {
    switch self {
    case .none: bytes
    case .gzip: try gzipMember(bytes)
    case .zstd: try zstandardFrame(bytes)
    }
  }
}

private func gzipMember(_ bytes: [UInt8]) throws(PipelineError) -> [UInt8] {
  var stream = unsafe z_stream()
  guard unsafe h2rec_gzip_init(&stream) == Z_OK else {
    throw PipelineError(.internalError, "zlib cannot be initialised")
  }
  defer { unsafe deflateEnd(&stream) }
  let bound = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
  precondition(bound <= UInt32.max, "a piece of at most 4 GiB")
  var status = Z_OK
  let member = unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, count in
    unsafe bytes.withUnsafeBufferPointer { source in
      unsafe stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.avail_in = UInt32(source.count)
      unsafe stream.next_out = target.baseAddress
      unsafe stream.avail_out = UInt32(bound)
      status = unsafe deflate(&stream, Z_FINISH)
    }
    count = unsafe bound - Int(stream.avail_out)
  }
  guard status == Z_STREAM_END else {
    throw PipelineError(.internalError, "zlib stopped with status \(status)")
  }
  return member
}

private func zstandardFrame(_ bytes: [UInt8]) throws(PipelineError) -> [UInt8] {
  let context = unsafe ZSTD_createCCtx()
  defer { unsafe ZSTD_freeCCtx(context) }
  unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  let bound = ZSTD_compressBound(bytes.count)
  var status = 0
  let frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, count in
    status = unsafe bytes.withUnsafeBytes { source in
      unsafe ZSTD_compress2(context, target.baseAddress, bound, source.baseAddress, source.count)
    }
    count = ZSTD_isError(status) == 0 ? status : 0
  }
  guard ZSTD_isError(status) == 0 else {
    throw PipelineError(.internalError, "zstd cannot compress \(bytes.count) bytes")
  }
  return frame
}
