internal import Glibc
public import SystemPackage

/// The bytes of a whole file.
///
/// - Throws: ``PipelineError``: `.missingInput` if the file cannot be opened, `.inputOutput` if it cannot be read.
public func readWholeFile(_ path: FilePath) throws(PipelineError) -> [UInt8] {
  let descriptor: FileDescriptor
  do {
    descriptor = try FileDescriptor.open(path, .readOnly)
  } catch let error as Errno {
    throw .cannotOpen(path, error)
  } catch {
    throw .cannotOpen(path, .ioError)
  }
  defer { try? descriptor.close() }
  var information = stat()
  guard unsafe fstat(descriptor.rawValue, &information) == 0 else {
    throw .cannotRead(path, Errno(rawValue: errno))
  }
  guard information.st_mode & S_IFMT != S_IFDIR else { throw .cannotOpen(path, .isDirectory) }
  // A pipe or a growing file has no size that could be trusted: read until the end.
  var capacity = max(Int(information.st_size) + 1, 1 << 16)
  var bytes: [UInt8] = []
  var failure: Errno?
  while true {
    let part = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      while count < capacity {
        let room = unsafe UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
        let result = unsafe read(descriptor.rawValue, room.baseAddress, room.count)
        if result < 0 && errno == EINTR { continue }
        if result < 0 { failure = Errno(rawValue: errno) }
        if result <= 0 { break }
        count += result
      }
    }
    if let failure { throw .cannotRead(path, failure) }
    if bytes.isEmpty { bytes = part } else { bytes += part }
    if part.count < capacity { return bytes }
    capacity = 1 << 22
  }
}

/// System calls on names, each with its failure in words.
package enum FileSystem {
  /// The names in a directory, sorted, without `.` and `..`.
  package static func names(in directory: FilePath) throws(PipelineError) -> [String] {
    guard let stream = unsafe opendir(directory.string) else {
      throw .cannotRead(directory, Errno(rawValue: errno))
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Creates a directory and those above it that are missing, durably.
  package static func createDirectory(_ path: FilePath) throws(PipelineError) {
    let parent = path.removingLastComponent()
    var isCreated = unsafe mkdir(path.string, 0o777) == 0
    if !isCreated, errno == ENOENT, !parent.isEmpty, parent != path {
      try createDirectory(parent)
      isCreated = unsafe mkdir(path.string, 0o777) == 0
    }
    if isCreated {
      do throws(PipelineError) {
        return try flushDirectory(parent.isEmpty ? "." : parent)
      } catch {
        _ = unsafe rmdir(path.string)
        throw error
      }
    }
    let cause = Errno(rawValue: errno)
    guard cause == .fileExists, isDirectory(path) else {
      throw .cannotCreate(path, cause == .fileExists ? .notDirectory : cause)
    }
  }

  package static func isDirectory(_ path: FilePath) -> Bool {
    var information = stat()
    return unsafe stat(path.string, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether something has this name, whatever it is.
  package static func exists(_ path: FilePath) -> Bool {
    var information = stat()
    return unsafe lstat(path.string, &information) == 0
  }

  /// The size of a regular file in bytes, or `nil` if there is none.
  package static func byteCount(_ path: FilePath) -> Int? {
    var information = stat()
    guard unsafe stat(path.string, &information) == 0, information.st_mode & S_IFMT == S_IFREG
    else { return nil }
    return Int(information.st_size)
  }

  /// Removes a name; that it does not exist is no failure.
  package static func remove(_ path: FilePath) throws(PipelineError) {
    guard unsafe unlink(path.string) == 0 || errno == ENOENT else {
      throw .output("remove", path, Errno(rawValue: errno))
    }
  }

  package static func rename(_ old: FilePath, to new: FilePath) throws(PipelineError) {
    guard unsafe Glibc.rename(old.string, new.string) == 0 else {
      throw .output("rename", new, Errno(rawValue: errno))
    }
  }

  /// Makes the names in a directory durable, where the file system can (some of the network cannot).
  package static func flushDirectory(_ path: FilePath) throws(PipelineError) {
    do {
      let descriptor = try FileDescriptor.open(path, .readOnly)
      defer { try? descriptor.close() }
      guard fsync(descriptor.rawValue) == 0 || errno == EINVAL else {
        throw Errno(rawValue: errno)
      }
    } catch {
      throw .output("flush the directory", path, error as? Errno ?? .ioError)
    }
  }

  /// Where a symbolic link points, or `nil` if `path` is none.
  package static func linkTarget(_ path: FilePath) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path.string, &buffer, buffer.count)
    let bytes = buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:))
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Makes `path` a symbolic link to `target`, replacing whatever has the name in one step.
  package static func replaceLink(_ path: FilePath, target: String) throws(PipelineError) {
    let partial = FilePath("\(path.string).partial")
    try remove(partial)
    guard unsafe symlink(target, partial.string) == 0 else {
      throw .cannotLink(path, Errno(rawValue: errno))
    }
    do throws(PipelineError) {
      try rename(partial, to: path)
    } catch {
      try? remove(partial)
      throw error
    }
  }
}

/// Creates a directory and those above it that are missing; one that exists is left as it is.
///
/// - Throws: ``PipelineError`` `.cannotCreate`.
public func createDirectory(_ path: FilePath) throws(PipelineError) {
  try FileSystem.createDirectory(path)
}
