internal import Glibc
public import ShardIO
internal import SystemPackage

/// The program `duckdb` (https://duckdb.org), which reads and writes for us what is no text: Parquet files, and whatever
/// its SQL reaches.
public enum DuckDB {
  /// The text in which rows are exchanged.
  public enum Form: String, Sendable {
    /// A header, then RFC 4180; nothing between two commas is null.
    case csv = "format csv, header"
    /// One object a line; lists stay lists.
    case jsonLines = "format json"
  }

  /// The first bytes of a Parquet file.
  static let parquetMagic = Array("PAR1".utf8)

  /// The query for the rows of a Parquet file.
  ///
  /// - Throws: `PipelineError` `.configuration` for a name that duckdb would take for a pattern.
  static func query(parquet path: String) throws(PipelineError) -> String {
    guard !path.contains(where: { "*?[".contains($0) }) else {
      throw PipelineError(
        .configuration, "duckdb takes this name of a Parquet file for a pattern",
        at: .init(path: path), note: "give the file, or a link to it, a name without *, ? and [")
    }
    return "select * from read_parquet(\(literal(path)))"
  }

  /// Text as a literal of SQL.
  public static func literal(_ text: String) -> String {
    "'\(text.replacing("'", with: "''"))'"
  }

  /// The statements that write the rows of the last of some statements to standard output, after those before it.
  ///
  /// Semicolons within quotes and comments end no statement.
  static func statements(_ sql: String, _ form: Form) -> String {
    var parts = split(sql).filter { $0.contains { !$0.isWhitespace } }
    let query = parts.popLast() ?? ""
    return
      (["set enable_progress_bar = false", "set timezone = 'UTC'"] + parts
      + ["copy (\(query)\n) to '/dev/stdout' (\(form.rawValue))"]).joined(separator: ";\n")
  }

  private static func split(_ sql: String) -> [Substring] {
    var parts: [Substring] = []
    var start = sql.startIndex
    var place = start
    func skip(to end: String, from first: String.Index) -> String.Index {
      sql[first...].firstRange(of: end)?.upperBound ?? sql.endIndex
    }
    while place < sql.endIndex {
      let rest = sql[place...]
      let next = sql.index(after: place)
      if rest.hasPrefix("--") {
        place = skip(to: "\n", from: next)
      } else if rest.hasPrefix("/*") {
        place = skip(to: "*/", from: next)
      } else if sql[place] == "'" || sql[place] == "\"" {
        place = skip(to: String(sql[place]), from: next)
      } else {
        if sql[place] == ";" {
          parts.append(sql[start..<place])
          start = next
        }
        place = next
      }
    }
    return parts + [sql[start...]]
  }

  /// Runs statements that read standard input and write standard output.
  ///
  /// - Parameters:
  ///   - statements: read `/dev/stdin` and write `/dev/stdout`.
  ///   - input: what they read.
  ///   - output: gets what they write.
  ///   - place: the name in messages.
  /// - Throws: `PipelineError`: `.configuration` if there is no such program; `.dataFormat` with its message if it fails.
  public static func convert(
    _ statements: String, from input: ScratchFile, to output: ScratchFile, place: String
  ) throws(PipelineError) {
    try input.lend { input throws(PipelineError) in
      try output.lend { output throws(PipelineError) in
        try DuckDBProcess(statements, input: input, output: output, place: place).finish()
      }
    }
  }
}

/// A run of the program.
final class DuckDBProcess {
  private let place: String
  private let process: pid_t
  private let errors: FileDescriptor
  private var isFinished = false

  /// Starts the program.
  ///
  /// - Throws: `PipelineError`: `.configuration` if there is no such program; `.temporaryFailure` if it cannot be started.
  init(
    _ statements: String, input: FileDescriptor?, output: FileDescriptor, place: String
  ) throws(PipelineError) {
    let errors = try Self.pipe(place)
    // What does not fit into the pipe is lost, so that the program never waits for somebody to read it.
    _ = fcntl(errors.write.rawValue, F_SETFL, O_NONBLOCK)
    defer { try? errors.write.close() }
    let words = ["duckdb", "-no-init", "-bail", ":memory:", "-c", statements]
    var started: pid_t = 0
    let cause = Self.spawn(words, input, output, errors.write, &started)
    guard cause == 0 else {
      try? errors.read.close()
      throw Self.notStarted(cause, place)
    }
    process = started
    self.errors = errors.read
    self.place = place
  }

  deinit {
    if !isFinished {
      kill(process, SIGTERM)
      _ = wait()
    }
    try? errors.close()
  }

  /// Starts a program with three files as its standard ones; 0, or the cause of the failure.
  private static func spawn(
    _ words: [String], _ input: FileDescriptor?, _ output: FileDescriptor,
    _ errors: FileDescriptor, _ process: inout pid_t
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    if let input {
      unsafe posix_spawn_file_actions_adddup2(&actions, input.rawValue, 0)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, output.rawValue, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors.rawValue, 2)
    // The program is not to inherit that signals are held back.
    var mask = sigset_t()
    unsafe sigemptyset(&mask)
    unsafe posix_spawnattr_setsigmask(&attributes, &mask)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    return unsafe posix_spawnp(&process, words[0], &actions, &attributes, &arguments, environ)
  }

  /// Waits for the end.
  ///
  /// - Throws: `PipelineError` `.dataFormat` with the message of the program if it failed.
  func finish() throws(PipelineError) {
    guard !isFinished else { return }
    let status = wait()
    isFinished = true
    guard status != 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = (try? unsafe bytes.withUnsafeMutableBytes { unsafe try errors.read(into: $0) }) ?? 0
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    throw PipelineError(
      .dataFormat, "duckdb: \(lines.first ?? "ended with the status \(status)")",
      at: .init(path: place), note: lines.count > 1 ? lines[1...].joined(separator: "\n") : nil)
  }

  private func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
  }

  /// A pipe whose ends no other program gets.
  static func pipe(
    _ place: String
  ) throws(PipelineError) -> (read: FileDescriptor, write: FileDescriptor) {
    do {
      let (read, write) = try FileDescriptor.pipe()
      for end in [read, write] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
      return (read, write)
    } catch {
      throw notStarted((error as? Errno ?? .ioError).rawValue, place)
    }
  }

  private static func notStarted(_ cause: Int32, _ place: String) -> PipelineError {
    guard cause == ENOENT else {
      return PipelineError(
        .temporaryFailure,
        "cannot start duckdb: \(Errno(rawValue: cause).description.lowercased())",
        at: .init(path: place))
    }
    return PipelineError(
      .configuration, "Parquet and SQL need the program 'duckdb', which is not on the PATH",
      at: .init(path: place),
      note: "install it with 'pip install duckdb-cli', or give the rows as CSV or JSON lines")
  }
}
