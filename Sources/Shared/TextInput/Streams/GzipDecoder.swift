internal import CZlib
internal import ShardIO

/// Decodes one or more gzip members, as `gzip` and `cat a.gz b.gz` write them.
@safe final class GzipDecoder: StreamDecoder {
  private let name: String
  private let stream: UnsafeMutablePointer<z_stream>
  private var isInsideMember = true

  init(name: String) throws(PipelineError) {
    self.name = name
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe h2rec_inflate_init(stream) == Z_OK else {
      unsafe stream.deallocate()
      throw PipelineError(.internalError, "zlib cannot be initialised", at: .init(path: name))
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  func decode(
    _ input: inout RawInput, into target: inout [UInt8], from start: Int
  ) throws(PipelineError) -> Int {
    var produced = 0
    while produced == 0 {
      let isOpen = isInsideMember
      let hasInput = try unsafe input.withBuffered { bytes throws(PipelineError) in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        produced = try inflateOnce(into: &target, from: start)
        return unsafe bytes.count - Int(stream.pointee.avail_in)
      }
      guard hasInput else {
        if isOpen { throw damaged("it ends in the middle of a member") }
        return 0
      }
    }
    return produced
  }

  private func inflateOnce(into target: inout [UInt8], from start: Int) throws(PipelineError) -> Int
  {
    if !isInsideMember {
      guard skipPadding() else { return 0 }
      unsafe inflateReset(stream)
      isInsideMember = true
    }
    let room = min(target.count - start, 1 << 30)
    let status = unsafe target.withUnsafeMutableBufferPointer { bytes in
      unsafe stream.pointee.next_out = bytes.baseAddress?.advanced(by: start)
      unsafe stream.pointee.avail_out = UInt32(room)
      return unsafe inflate(stream, Z_NO_FLUSH)
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isInsideMember = false
    default:
      throw damaged(
        unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "status \(status)")
    }
    return unsafe room - Int(stream.pointee.avail_out)
  }

  /// Passes over zeros after a member, with which tapes and block devices are padded; false if there is nothing else.
  private func skipPadding() -> Bool {
    while unsafe stream.pointee.avail_in > 0, unsafe stream.pointee.next_in[0] == 0 {
      unsafe stream.pointee.next_in += 1
      unsafe stream.pointee.avail_in -= 1
    }
    return unsafe stream.pointee.avail_in > 0
  }

  private func damaged(_ reason: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the gzip file is damaged: \(reason)", at: .init(path: name),
      note: "check it with gzip -t")
  }
}
