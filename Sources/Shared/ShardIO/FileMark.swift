internal import Glibc
internal import SystemPackage

/// What the system says of the file behind a path, without reading it.
///
/// A file with an equal mark has equal contents: whatever changes a file also moves its time of change, which no program
/// can set back. A file with another mark may still have equal contents.
struct FileMark: Sendable, Equatable {
  /// The size in bytes.
  let byteCount: Int64
  /// The time of the last modification, in nanoseconds since 1970; programs can set it.
  let modified: Int64
  /// The time of the last change of contents, name or rights, in nanoseconds since 1970.
  let changed: Int64
  let inode: Int64
  let device: Int64

  /// The mark of a regular file, or of the one that a symbolic link leads to; nil where there is none.
  init?(_ path: FilePath) {
    var information = stat()
    guard unsafe stat(path.string, &information) == 0, information.st_mode & S_IFMT == S_IFREG
    else { return nil }
    byteCount = Int64(information.st_size)
    modified = Self.nanoseconds(information.st_mtim)
    changed = Self.nanoseconds(information.st_ctim)
    inode = Int64(truncatingIfNeeded: information.st_ino)
    device = Int64(truncatingIfNeeded: information.st_dev)
  }

  /// The mark of a file that has not been changed just now.
  ///
  /// Two changes within one tick of the file system's clock leave the same time, so a file that was changed within the
  /// last tick is waited for, a few ticks at most.
  static func settled(_ path: FilePath) -> FileMark? {
    var mark = FileMark(path)
    for _ in 0..<4 {
      guard let found = mark, let remaining = found.unsettledNanoseconds else { return mark }
      var pause = timespec(
        tv_sec: Int(remaining / 1_000_000_000), tv_nsec: Int(remaining % 1_000_000_000))
      _ = unsafe nanosleep(&pause, nil)
      mark = FileMark(path)
    }
    return mark
  }

  /// How long until the file's last change is a whole tick ago; nil where it is.
  private var unsettledNanoseconds: Int64? {
    var now = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
    let age = Self.nanoseconds(now) &- changed
    // File systems that count whole or every second second are told by times without a fraction.
    let tick: Int64 = changed % 1_000_000_000 == 0 ? 2_000_000_000 : 20_000_000
    return (0..<tick).contains(age) ? tick - age : nil
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

extension FileMark {
  /// The mark as it is kept.
  var json: JSONValue {
    [
      "bytes": .integer(byteCount), "modified": .integer(modified), "changed": .integer(changed),
      "inode": .integer(inode), "device": .integer(device),
    ]
  }

  /// Reads ``json``; nil where a number is missing.
  init?(_ json: JSONValue) {
    guard let byteCount = json["bytes"]?.integerValue,
      let modified = json["modified"]?.integerValue, let changed = json["changed"]?.integerValue,
      let inode = json["inode"]?.integerValue, let device = json["device"]?.integerValue
    else { return nil }
    self.byteCount = byteCount
    self.modified = modified
    self.changed = changed
    self.inode = inode
    self.device = device
  }
}

/// The XXH3-128 checksum of a file of any size, read in pieces.
///
/// - Throws: ``PipelineError``: `.missingInput` if it cannot be opened, `.inputOutput` if it cannot be read.
func checksumOfFile(_ path: FilePath) throws(PipelineError) -> String {
  let pieceByteCount = 1 << 20
  let descriptor: FileDescriptor
  do {
    descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
  } catch {
    throw .cannotOpen(path, error as? Errno ?? .ioError)
  }
  defer { try? descriptor.close() }
  let hash = ChecksumStream()
  var piece = [UInt8](repeating: 0, count: pieceByteCount)
  while true {
    do {
      let count = try unsafe piece.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
      if count == 0 { return hash.value }
      if count == piece.count { hash.append(piece) } else { hash.append(Array(piece[..<count])) }
    } catch {
      throw .cannotRead(path, error as? Errno ?? .ioError)
    }
  }
}
