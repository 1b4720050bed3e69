import FuzzDriver
import Glibc

// Run with 'make fuzz'; see Fuzz/README.md. What it finds goes to Tests/Fixtures/findings, in the folder of its reader.

/// Where the program begins.
@_cdecl("ReaderFuzzer_main")
public func fuzzMain(
  _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  guard reader != nil else {
    puts("FUZZ_READER must be one of: \(Reader.names)")
    return 64
  }
  return runFuzzer(argumentCount, arguments) { fuzzOneInput($0, $1) }
}

/// Which reader gets the inputs.
private let reader = getenv("FUZZ_READER").flatMap { Reader(rawValue: String(cString: $0)) }

/// The file through which the readers get their inputs, in memory.
private let file = InputFile()

/// Gives an input to the reader, which may read or refuse it, but not stop the program.
///
/// It bears the name that libFuzzer's own main asks for, which is linked though never called.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  file.replaceContents(start, count)
  reader?.read(file)
  return 0
}
