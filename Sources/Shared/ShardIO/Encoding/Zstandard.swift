internal import CZstd

/// Compression of whole shards into single zstd frames with content size and content checksum.
enum Zstandard {
  /// Compresses bytes into one frame.
  ///
  /// - Parameters:
  ///   - bytes: the contents, of any number.
  ///   - level: zstd's compression level.
  /// - Returns: the frame.
  /// - Throws: ``PipelineError`` `.internalError` with zstd's own words.
  static func compressed(_ bytes: [UInt8], level: Int32) throws(PipelineError) -> [UInt8] {
    let context = unsafe ZSTD_createCCtx()
    defer { unsafe ZSTD_freeCCtx(context) }
    var status = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    if ZSTD_isError(status) == 0 {
      status = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }
    guard ZSTD_isError(status) == 0 else { throw failure(status) }
    let bound = ZSTD_compressBound(bytes.count)
    let frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      status = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compress2(context, buffer.baseAddress, bound, source.baseAddress, source.count)
      }
      count = ZSTD_isError(status) == 0 ? status : 0
    }
    guard ZSTD_isError(status) == 0 else { throw failure(status) }
    return frame
  }

  /// The size of some bytes compressed quickly; bytes that cannot be compressed count in full.
  static func trialSize(_ bytes: UnsafeRawBufferPointer) -> Int {
    let bound = ZSTD_compressBound(bytes.count)
    var size = bytes.count
    _ = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, _ in
      let status = unsafe ZSTD_compress(
        buffer.baseAddress, bound, bytes.baseAddress, bytes.count, 1)
      if ZSTD_isError(status) == 0 { size = status }
    }
    return size
  }

  /// The contents of a file that is one frame.
  ///
  /// - Parameters:
  ///   - frame: the whole file.
  ///   - path: its name, for messages.
  ///   - limit: the most bytes that are accepted; nothing larger is ever allocated.
  /// - Returns: the decompressed contents.
  /// - Throws: ``PipelineError`` `.dataFormat` with the number of bytes that could be decompressed.
  static func decompressed(
    _ frame: [UInt8], path: String, limit: Int
  ) throws(PipelineError) -> [UInt8] {
    let declared = unsafe frame.withUnsafeBytes {
      unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count)
    }
    // The two largest values mean "not recorded" and "no frame".
    guard declared < UInt64.max - 1 else {
      throw .shard("this is not a zstd frame with a content size", path, 0)
    }
    // A block of at least 4 bytes holds at most 128 KiB, so a larger claim is a lie; checked before allocating.
    let possible = (frame.count / 4 + 1) * (128 << 10)
    guard declared <= UInt64(min(limit, possible)) else {
      throw .shard(
        "the frame declares \(declared) bytes, more than \(min(limit, possible))", path, 0)
    }
    let frameSize = unsafe frame.withUnsafeBytes {
      unsafe ZSTD_findFrameCompressedSize($0.baseAddress, $0.count)
    }
    if ZSTD_isError(frameSize) == 0, frameSize != frame.count {
      throw .shard(
        "\(frame.count - frameSize) bytes follow the zstd frame", path, Int(declared))
    }
    var status = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(declared)) { buffer, count in
      status = unsafe frame.withUnsafeBytes { source in
        unsafe ZSTD_decompress(buffer.baseAddress, Int(declared), source.baseAddress, source.count)
      }
      count = ZSTD_isError(status) == 0 ? status : 0
    }
    guard ZSTD_isError(status) == 0 else {
      let words = unsafe String(cString: ZSTD_getErrorName(status))
      throw .shard("the zstd frame is damaged: \(words)", path, readableByteCount(frame))
    }
    guard bytes.count == Int(declared) else {
      throw .shard("the frame holds \(bytes.count) bytes, declared \(declared)", path, bytes.count)
    }
    return bytes
  }

  /// How many bytes of a damaged frame can be decompressed.
  private static func readableByteCount(_ frame: [UInt8]) -> Int {
    let context = unsafe ZSTD_createDCtx()
    defer { unsafe ZSTD_freeDCtx(context) }
    var scratch = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
    var total = 0
    unsafe frame.withUnsafeBytes { source in
      unsafe scratch.withUnsafeMutableBytes { target in
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        while true {
          var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
          let before = unsafe input.pos
          let status = unsafe ZSTD_decompressStream(context, &output, &input)
          total += unsafe output.pos
          let isStuck = unsafe output.pos == 0 && input.pos == before
          if ZSTD_isError(status) != 0 || status == 0 || isStuck { break }
        }
      }
    }
    return total
  }

  private static func failure(_ status: Int) -> PipelineError {
    .zstandard(unsafe String(cString: ZSTD_getErrorName(status)))
  }
}
