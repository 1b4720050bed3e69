internal import Foundation
public import Subprocess
public import SystemPackage

/// What a finished process left behind.
public struct StageResult: Sendable {
  /// How the process ended.
  public var status: TerminationStatus
  /// What it wrote to standard output.
  public var output: String
  /// What it wrote to standard error.
  public var error: String
}

/// The directory of the built programs, which is the test bundle's.
public let productsDirectory = FilePath(Bundle.main.bundleURL.path)

/// The root of the package.
public let packageDirectory = FilePath(#filePath)
  .removingLastComponent().removingLastComponent().removingLastComponent()

/// Whether a program can be found on the search path.
public func hasProgram(_ name: String) -> Bool {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  return path.split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
  }
}

/// Runs a built program in `directory` and waits for its end.
///
/// - Parameters:
///   - name: the product, for example `h2rec-train`.
///   - arguments: its arguments.
///   - directory: its working directory.
///   - environment: variables to set, or to remove where `nil`.
/// - Returns: its status and what it wrote.
/// - Throws: an error if it cannot be started.
public func runStage(
  _ name: String, _ arguments: [String], in directory: FilePath,
  environment: [Environment.Key: String?] = [:]
) async throws -> StageResult {
  try await runProgram(
    .path(productsDirectory.appending(name)), arguments, in: directory, environment: environment)
}

/// Runs any program in `directory` and waits for its end; see ``runStage(_:_:in:environment:)``.
public func runProgram(
  _ program: Executable, _ arguments: [String], in directory: FilePath,
  environment: [Environment.Key: String?] = [:]
) async throws -> StageResult {
  // A crash is expected in some tests; the backtracer of a dying process only costs time.
  var variables: [Environment.Key: String?] = ["SWIFT_BACKTRACE": "enable=no"]
  variables.merge(environment) { $1 }
  let result = try await Subprocess.run(
    program, arguments: Arguments(arguments), environment: .inherit.updating(variables),
    workingDirectory: directory, output: .string(limit: 1 << 24), error: .string(limit: 1 << 24))
  return StageResult(
    status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
}
