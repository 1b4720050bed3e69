internal import Glibc
internal import SystemPackage

/// A process that has a lock file open: who is busy, and since when.
///
/// It is found among the running processes, so nothing has to be written, and no word of a process that has died is
/// believed. A lock may be handed on; of several processes the oldest counts.
struct LockHolder: Sendable, Equatable {
  /// The number of the process.
  let process: Int32
  /// Its command line without the folder of the program, in quotes and cut.
  let command: String
  /// When it was started, in seconds since 1970.
  let start: Int

  /// The holder of a lock file, which the caller has not open itself; nil if it belongs to another user whose processes we may not see.
  init?(of path: FilePath) {
    var lock = stat()
    guard unsafe stat(path.string, &lock) == 0,
      let names = try? FileSystem.names(in: Self.processes)
    else { return nil }
    let holders = names.compactMap { Int32($0) }
      .filter { Self.process($0, hasOpen: lock) }
      .compactMap { LockHolder(process: $0) }
    guard let oldest = holders.min(by: { ($0.start, $0.process) < ($1.start, $1.process) })
    else { return nil }
    self = oldest
  }

  private init?(process: Int32) {
    let directory = Self.processes.appending("\(process)")
    guard let status = try? readWholeFile(directory.appending("stat")),
      let line = try? readWholeFile(directory.appending("cmdline")), let start = Self.start(status)
    else { return nil }
    self.process = process
    self.start = start
    var words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    if let program = words.first { words[0] = FilePath(program).lastComponent?.string ?? program }
    command = quoted(words.joined(separator: " "))
  }

  /// The words for a message, with a space before; empty if nothing is known.
  static func words(_ holder: LockHolder?) -> String {
    guard let holder else { return "" }
    var time = time_t(holder.start)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&time, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    let since = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return " since \(since) (process \(holder.process), \(holder.command))"
  }

  private static let processes: FilePath = "/proc"

  private static func process(_ process: Int32, hasOpen file: stat) -> Bool {
    let directory = processes.appending("\(process)").appending("fd")
    guard let names = try? FileSystem.names(in: directory) else { return false }
    return names.contains { name in
      var found = stat()
      return unsafe stat(directory.appending(name).string, &found) == 0
        && found.st_ino == file.st_ino && found.st_dev == file.st_dev
    }
  }

  /// The start of a process, from the 22nd field of its status: clock ticks since the system was started.
  private static func start(_ status: [UInt8]) -> Int? {
    // The name of the program, the second field, is in brackets and may hold anything.
    guard let end = status.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = status[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let ticks = Int(String(decoding: fields[19], as: UTF8.self)) else {
      return nil
    }
    var now = timespec()
    var running = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &running)
    return now.tv_sec - running.tv_sec + ticks / max(sysconf(Int32(_SC_CLK_TCK)), 1)
  }
}
