import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// How the missing Debian packages are installed; the package manager is a stand-in.
@Suite struct DependencyTests {
  @Test func `nothing is said where nothing is missing`() async throws {
    let result = try await install(installed: "*", aptGet: "exit 1")
    #expect(result.status == .exited(0))
    #expect(result.output == "")
    #expect(result.error == "")
  }

  @Test func `what is missing is named with its purpose, and nothing else is installed`()
    async throws
  {
    let result = try await install(
      installed: "lib*|pkg-config|zlib*", aptGet: "echo \"apt-get $*\"")
    #expect(result.status == .exited(0))
    #expect(
      result.output == """
        Installing with apt-get:
          zstd             the tests that read shards with another program
        apt-get install --yes --quiet=2 --no-install-recommends zstd

        """)
  }

  @Test func `an old list of packages is renewed once`() async throws {
    let result = try await install(
      installed: "zlib1g-dev|libl*|libx*|libz*|pkg-config|zstd",
      aptGet: "[ $1 = update ] && touch updated; [ -e updated ] && echo $1")
    #expect(result.status == .exited(0))
    #expect(result.output.hasSuffix("(oneDNN)\nupdate\ninstall\n"))
  }

  @Test func `what cannot be installed is told with what to do`() async throws {
    let result = try await install(installed: "lib*|pkg-config|zlib*", aptGet: "exit 100")
    #expect(result.status == .exited(69))
    #expect(
      result.error == """
        error: apt-get could not install zstd
        note: its message stands above; without a network, install these packages by hand and try again

        """)
  }

  @Test func `a system without packages of Debian is told what the build needs`() async throws {
    let result = try await install(installed: nil, aptGet: "exit 1")
    #expect(result.status == .exited(0))
    #expect(result.error.hasPrefix("warning: this is no Debian or Ubuntu system"))
    #expect(result.error.contains("\n  libdnnl-dev: matrix products (oneDNN)\n"))
  }

  /// Runs the script with nothing on the PATH but stand-ins.
  ///
  /// - Parameters:
  ///   - installed: the shell pattern of the packages that are there; nil for a system without `dpkg-query`.
  ///   - aptGet: the body of `apt-get`.
  /// - Returns: what the script printed, and its status.
  /// - Throws: what the file system or the start of the script refuses.
  private func install(installed: String?, aptGet: String) async throws -> StageResult {
    try await withTemporaryDirectory { directory in
      var programs = ["swift": "exit 0", "apt-get": aptGet, "sudo": "exec \"$@\""]
      if let installed {
        programs["dpkg-query"] =
          "shift 2; case $1 in \(installed)) echo -n installed;; *) exit 1;; esac"
      }
      for (name, body) in programs {
        let path = directory.appending(name)
        try write(Array("#!/bin/sh\n\(body)\n".utf8), to: path)
        try FileManager.default.setAttributes(
          [.posixPermissions: 0o755], ofItemAtPath: path.string)
      }
      for tool in ["bash", "env", "touch"] {
        try FileManager.default.createSymbolicLink(
          atPath: directory.appending(tool).string, withDestinationPath: "/usr/bin/\(tool)")
      }
      return try await runProgram(
        .path("/bin/bash"), [packageDirectory.appending("Scripts/install-dependencies").string],
        in: directory, environment: ["PATH": directory.string])
    }
  }
}
