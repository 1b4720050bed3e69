internal import CZstd
internal import ShardIO

/// Decodes one or more zstd frames.
@safe final class ZstandardDecoder: StreamDecoder {
  private let name: String
  private let context: OpaquePointer
  private var isInsideFrame = false

  init(name: String) throws(PipelineError) {
    self.name = name
    guard let context = unsafe ZSTD_createDCtx() else {
      throw PipelineError(.internalError, "zstd cannot be initialised", at: .init(path: name))
    }
    unsafe self.context = context
  }

  deinit { _ = unsafe ZSTD_freeDCtx(context) }

  func decode(
    _ input: inout RawInput, into target: inout [UInt8], from start: Int
  ) throws(PipelineError) -> Int {
    // What the context still holds comes first; only then is more input needed.
    var produced = isInsideFrame ? try unsafe step(nil, into: &target, from: start).produced : 0
    while produced == 0 {
      let isOpen = isInsideFrame
      let hasInput = try unsafe input.withBuffered { bytes throws(PipelineError) in
        let result = try unsafe step(bytes, into: &target, from: start)
        produced = result.produced
        return result.used
      }
      guard hasInput else {
        if isOpen { throw damaged("it ends in the middle of a frame") }
        return 0
      }
    }
    return produced
  }

  private func step(
    _ bytes: UnsafeBufferPointer<UInt8>?, into target: inout [UInt8], from start: Int
  ) throws(PipelineError) -> (used: Int, produced: Int) {
    var input = unsafe ZSTD_inBuffer(src: bytes?.baseAddress, size: bytes?.count ?? 0, pos: 0)
    let (status, produced) = unsafe target.withUnsafeMutableBytes { room in
      var output = unsafe ZSTD_outBuffer(
        dst: room.baseAddress?.advanced(by: start), size: room.count - start, pos: 0)
      let status = unsafe ZSTD_decompressStream(context, &output, &input)
      return unsafe (status, output.pos)
    }
    guard ZSTD_isError(status) == 0 else {
      throw damaged(unsafe String(cString: ZSTD_getErrorName(status)).lowercased())
    }
    isInsideFrame = status != 0
    return unsafe (input.pos, produced)
  }

  private func damaged(_ reason: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the zstd file is damaged: \(reason)", at: .init(path: name),
      note: "check it with zstd -t")
  }
}
