public import ArgumentParser
internal import Glibc
internal import ShardIO
internal import SystemPackage
internal import Threading

/// The whole command line of a program: its one stage, or the group of its subcommands.
public protocol StageProgram: ParsableCommand {
  /// What to write in place of options that are gone, by the option.
  static var formerOptions: [String: String] { get }
}

extension StageProgram {
  /// None.
  public static var formerOptions: [String: String] { [:] }

  /// Makes the process safe to work in, then parses the command line and runs what it asks for.
  public static func main() {
    secureStandardDescriptors()
    // A file that reaches the limit on its size is then a write that fails, and says so.
    signal(SIGXFSZ, SIG_IGN)
    ThreadShortage.listen { shortage in
      writeToStandardError(
        "\(programName): warning: \(shortage.count) of \(shortage.wanted) threads: the system refuses another "
          + "(\(Errno(rawValue: shortage.errorNumber))); the results are the same\n")
    }
    refuseInvalidArguments()
    refuseFormerOptions()
    main(nil)
  }
}

extension StageProgram {
  /// Ends the program if an argument is an option that is gone, and says what to write now.
  private static func refuseFormerOptions() {
    for argument in CommandLine.arguments.dropFirst() {
      let name = String(argument.prefix { $0 != "=" })
      guard let advice = formerOptions[name] else { continue }
      let error = PipelineError(.usage, "\(quoted(name)) is gone", note: advice)
      writeToStandardError("\(programName): \(error)\n")
      Glibc.exit(error.kind.rawValue)
    }
  }
}

/// Puts something at the descriptors 0 to 2 that are closed, so that no file of ours becomes one of them.
///
/// What is then written to standard output fails as it did, and is lost on standard error, where it is no failure.
private func secureStandardDescriptors() {
  for (descriptor, access) in [(0, O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)] as [(Int32, Int32)]
  where fcntl(descriptor, F_GETFD) < 0 {
    // The lowest that is free, which is this one.
    let opened = open("/dev/null", access)
    guard opened == descriptor else { exit(PipelineError.Kind.inputOutput.rawValue) }
  }
}

/// Ends the program if an argument is not UTF-8: as a name it would be another one than meant.
private func refuseInvalidArguments() {
  let arguments = CommandLine.arguments
  let invalid = arguments.indices.dropFirst().first { index in
    CommandLine.unsafeArgv[index].map { String(validatingCString: $0) == nil } ?? false
  }
  guard let invalid else { return }
  let error = PipelineError(
    .usage, "argument \(invalid) is not UTF-8: \(quoted(arguments[invalid]))",
    note: "rename the file or the directory that it names")
  writeToStandardError("\(programName): \(error)\n")
  exit(error.kind.rawValue)
}
